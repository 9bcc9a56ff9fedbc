//! Ports for processes that are told where to listen.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that systems hand out to whoever asks for any: a port that a test's own process leaves for a moment, while
/// it is started again, is nobody else's then.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on, and that no other call in this process gets.
///
/// # Panics
///
/// When all are in use.
pub fn free_port() -> u16 {
    // Processes that run beside this one begin elsewhere.
    let first = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(COUNT)).unwrap();
    for _ in 0..COUNT {
        let place = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (first + place % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("every port from {FIRST} on is in use")
}
