//! Refresh tokens that are good for one use, as most providers' are.

/// The one good refresh token of a family, and what was done with it.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    uses: usize,
    /// One was used twice: the whole family is dead (RFC 9700 section 4.14.2).
    pub(crate) dead: bool,
}

impl Rotation {
    pub(crate) fn current(&self) -> String {
        format!("refresh-{}", self.uses + 1)
    }

    /// How many times a refresh token was used.
    pub(crate) fn uses(&self) -> usize {
        self.uses
    }

    /// Uses a refresh token up; whether it was good.
    pub(crate) fn take(&mut self, refresh_token: Option<&str>) -> bool {
        if self.dead || refresh_token != Some(self.current().as_str()) {
            self.dead = true;
            return false;
        }
        self.uses += 1;
        true
    }
}
