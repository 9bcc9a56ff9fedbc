//! What the types forbid. Each block is compiled by `cargo test --doc` and must fail; the one before it is the same without the
//! forbidden line, and must not.

/// A sign-in is finished once: the pending sign-in is given away.
///
/// ```no_run
/// # async fn f(auth: keyback::Client, pending: keyback::PendingSignIn, url: &str) -> Result<(), keyback::Error> {
/// auth.finish(pending, url).await?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail,E0382
/// # async fn f(auth: keyback::Client, pending: keyback::PendingSignIn, url: &str) -> Result<(), keyback::Error> {
/// auth.finish(pending, url).await?;
/// auth.finish(pending, url).await?;
/// # Ok(())
/// # }
/// ```
///
/// Nor can it be kept for a second time:
///
/// ```compile_fail,E0599
/// # async fn f(auth: keyback::Client, pending: keyback::PendingSignIn, url: &str) -> Result<(), keyback::Error> {
/// auth.finish(pending.clone(), url).await?;
/// # Ok(())
/// # }
/// ```
struct Finishing;

/// PKCE, state and nonce can't be left out, nor chosen: no method does, and a pending sign-in can't be made by hand.
///
/// ```no_run
/// # async fn f(auth: keyback::Client) -> Result<(), keyback::Error> {
/// let begun = auth.sign_in().scope("email").start().await?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail,E0599
/// # async fn f(auth: keyback::Client) -> Result<(), keyback::Error> {
/// let begun = auth.sign_in().without_pkce().scope("email").start().await?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail,E0451
/// let pending = keyback::PendingSignIn { state: "chosen".to_owned(), ..unimplemented!() };
/// ```
struct Beginning;

/// What proves something is made by the check alone.
///
/// ```compile_fail,E0451
/// fn forge(session: keyback::Session, claims: keyback::Claims) -> keyback::Session {
///     keyback::Session { claims, ..session }
/// }
/// ```
///
/// ```compile_fail,E0451
/// use keyback::logto::account::Verification;
/// fn forge(verification: Verification) -> Verification {
///     Verification { expires_at: None, ..verification }
/// }
/// ```
struct Proving;

/// Secrets have no text but the one that is asked for.
///
/// ```no_run
/// # fn f(session: keyback::Session) {
/// println!("{session:?}");
/// # }
/// ```
///
/// ```compile_fail,E0277
/// # fn f(session: keyback::Session) {
/// println!("{session}");
/// # }
/// ```
///
/// ```compile_fail,E0277
/// # fn f(password: keyback::logto::Password) {
/// println!("{password}");
/// # }
/// ```
struct Printing;
