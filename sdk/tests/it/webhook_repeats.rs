//! Deliveries that come more than once are handled once (SR-60).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use keyback::logto::webhook::{
    Claim, DeliveryStore as _, MemoryDeliveries, Received, WebhookError, WebhookReceiver,
};

use crate::webhook::{NEXT_KEY, NOW, at, delivery, receiver};

#[tokio::test]
async fn sr60_a_delivery_is_handled_once_however_often_it_comes() {
    let (headers, body) = delivery();
    let seen = MemoryDeliveries::new();
    let handled = AtomicUsize::new(0);
    let receive = |receiver: WebhookReceiver, fails: bool| {
        let (seen, handled, headers, body) = (&seen, &handled, &headers, &body);
        async move {
            receiver
                .receive(seen, headers, body, |delivery| async move {
                    assert_eq!(delivery.name(), "PostResetPassword");
                    handled.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    if fails {
                        Err("the database is away".into())
                    } else {
                        Ok(())
                    }
                })
                .await
        }
    };
    // What failed is tried again.
    let failed = receive(receiver(), true).await.unwrap_err();
    assert_eq!((failed.status(), failed.code()), (500, "webhook.not_handled"));
    // Of two at once, one is handled, and the sender of the other comes again.
    let (one, other) = tokio::join!(receive(receiver(), false), receive(receiver(), false));
    assert_eq!(one.unwrap(), Received::Handled);
    assert_eq!(other.unwrap_err().status(), 503);
    assert_eq!(receive(receiver(), false).await.unwrap(), Received::Repeated);
    assert_eq!(handled.load(Ordering::SeqCst), 2);

    // Nobody's delivery is noted.
    let nobody = WebhookReceiver::keyback([NEXT_KEY]).unwrap().clock(at(NOW));
    assert_eq!(
        receive(nobody, false).await.unwrap_err(),
        WebhookError::BadSignature
    );
}

#[tokio::test]
async fn a_handler_that_died_gives_its_delivery_up() {
    let seen = MemoryDeliveries::new();
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let claim = async |after: u64| seen.claim("f", now + Duration::from_secs(after)).await.unwrap();
    assert_eq!(claim(0).await, Claim::First);
    assert_eq!(claim(59).await, Claim::UnderWay);
    assert_eq!(claim(60).await, Claim::First);
    seen.settle("f", now).await.unwrap();
    assert_eq!(claim(6 * 86_400).await, Claim::Handled);
    assert_eq!(claim(7 * 86_400).await, Claim::First);
    seen.give_up("f").await.unwrap();
    assert_eq!(claim(0).await, Claim::First);
}
