//! The question before a sign-out that nobody vouched for (RP-Initiated Logout, section 2).

use askama::Template;

use super::shell::Shell;

#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_out.html")]
pub struct SignOut<'a> {
    pub shell: Shell<'a>,
    pub action: &'a str,
    /// Who is signed in: a name or an identifier.
    pub person: &'a str,
    /// Hidden fields: what the app that asks to sign out has sent along.
    pub fields: &'a [(&'static str, String)],
    /// The app that asks, where one does.
    pub app_name: Option<&'a str>,
    /// Where "No" leads: nothing has ended.
    pub stay_url: &'a str,
}

impl<'a> SignOut<'a> {
    pub fn samples(shell: Shell<'a>) -> Vec<(&'static str, Self)> {
        let asked = Self {
            shell,
            action: "/sign-out",
            person: "ada@example.com",
            fields: &[],
            app_name: None,
            stay_url: "/account",
        };
        vec![
            ("asked", asked.clone()),
            (
                "by-app",
                Self {
                    app_name: Some("A reading app"),
                    ..asked
                },
            ),
        ]
    }
}
