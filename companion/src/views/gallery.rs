//! Every page in every state: what `keyback preview` shows and what the tests walk through.

use askama::Template;

use super::account::Account;
use super::account_password::AccountPassword;
use super::code::Code;
use super::consent::Consent;
use super::demo_site::DemoSite;
use super::demo_welcome::DemoWelcome;
use super::dev_inbox::DevInbox;
use super::device::Device;
use super::device_confirm::DeviceConfirm;
use super::device_done::DeviceDone;
use super::done::Done;
use super::error::ErrorPage;
use super::forgot_password::ForgotPassword;
use super::new_password::NewPassword;
use super::not_me::NotMe;
use super::one_time_token::OneTimeToken;
use super::reset_link::ResetLink;
use super::send_back::SendBack;
use super::shell::Shell;
use super::sign_in::SignIn;
use super::sign_out::SignOut;
use super::signed_out::SignedOut;

/// One page in one state, rendered.
#[derive(Clone, Debug)]
pub struct Picture {
    /// `page.state`, such as `code.wrong`.
    pub name: String,
    pub html: String,
}

/// All samples of all pages, in the order a visitor meets them.
pub fn gallery(shell: Shell<'_>) -> Result<Vec<Picture>, askama::Error> {
    let mut pictures = Vec::new();
    hang(&mut pictures, "sign-in", &SignIn::samples(shell))?;
    hang(&mut pictures, "consent", &Consent::samples(shell))?;
    hang(&mut pictures, "send-back", &SendBack::samples(shell))?;
    hang(&mut pictures, "forgot-password", &ForgotPassword::samples(shell))?;
    hang(&mut pictures, "code", &Code::samples(shell))?;
    hang(&mut pictures, "reset-link", &ResetLink::samples(shell))?;
    hang(&mut pictures, "one-time-token", &OneTimeToken::samples(shell))?;
    hang(&mut pictures, "new-password", &NewPassword::samples(shell))?;
    hang(&mut pictures, "done", &Done::samples(shell))?;
    hang(&mut pictures, "not-me", &NotMe::samples(shell))?;
    hang(&mut pictures, "device", &Device::samples(shell))?;
    hang(&mut pictures, "device-confirm", &DeviceConfirm::samples(shell))?;
    hang(&mut pictures, "device-done", &DeviceDone::samples(shell))?;
    hang(&mut pictures, "account", &Account::samples(shell))?;
    hang(
        &mut pictures,
        "account-password",
        &AccountPassword::samples(shell),
    )?;
    hang(&mut pictures, "sign-out", &SignOut::samples(shell))?;
    hang(&mut pictures, "signed-out", &SignedOut::samples(shell))?;
    hang(&mut pictures, "error", &ErrorPage::samples(shell))?;
    hang(&mut pictures, "demo-welcome", &DemoWelcome::samples(shell))?;
    hang(&mut pictures, "dev-inbox", &DevInbox::samples(shell))?;
    hang(&mut pictures, "demo-site", &DemoSite::samples())?;
    Ok(pictures)
}

fn hang<T: Template>(
    pictures: &mut Vec<Picture>,
    page: &str,
    samples: &[(&'static str, T)],
) -> Result<(), askama::Error> {
    for (state, view) in samples {
        pictures.push(Picture {
            name: format!("{page}.{state}"),
            html: view.render()?,
        });
    }
    Ok(())
}
