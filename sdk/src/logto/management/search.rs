//! Finding accounts, by pages.

use http::Method;

use super::Management;
use crate::error::{ApiError, Error};
use crate::logto::User;
use crate::logto::call::Call;

const PAGE_SIZE: u16 = 20;
/// Logto gives no more at once.
const LARGEST_PAGE: u16 = 100;

/// Which accounts are searched for, and which page of them. Logto takes upper and lower case for the same.
#[derive(Clone)]
#[must_use = "nothing is searched before `Management::users`"]
pub struct UserSearch {
    field: Option<(&'static str, String)>,
    page: u32,
    page_size: u16,
}

impl UserSearch {
    /// Every account.
    pub fn all() -> Self {
        Self {
            field: None,
            page: 1,
            page_size: PAGE_SIZE,
        }
    }

    /// The account of this e-mail address.
    pub fn email(address: impl Into<String>) -> Self {
        Self::by("primaryEmail", address.into())
    }

    /// The account of this phone number, in Logto's spelling: digits alone.
    pub fn phone(number: impl Into<String>) -> Self {
        Self::by("primaryPhone", number.into())
    }

    /// The account of this user name.
    pub fn username(name: impl Into<String>) -> Self {
        Self::by("username", name.into())
    }

    /// How many accounts a page has: 20 by default, 100 at most.
    pub fn page_size(mut self, size: u16) -> Self {
        self.page_size = size.clamp(1, LARGEST_PAGE);
        self
    }

    /// Which page, counted from one.
    pub fn page(mut self, page: u32) -> Self {
        self.page = page.max(1);
        self
    }

    fn by(field: &'static str, value: String) -> Self {
        Self {
            field: Some((field, value)),
            ..Self::all()
        }
    }
}

/// Accounts of one page.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserPage {
    /// The accounts.
    pub users: Vec<User>,
    /// How many there are on all pages (`Total-Number`).
    pub total: Option<u64>,
    /// Whether there may be more than `total`: Logto has stopped counting.
    pub total_is_capped: bool,
    /// What asks for the next page, unless this is the last.
    pub next: Option<UserSearch>,
}

impl Management {
    /// One page of the accounts that are searched for (`GET /api/users`).
    ///
    /// ```no_run
    /// # use keyback::logto::management::{Management, UserSearch};
    /// # async fn example(management: Management) -> Result<(), keyback::Error> {
    /// let mut next = Some(UserSearch::all().page_size(100));
    /// while let Some(search) = next {
    ///     let page = management.users(search).await?;
    ///     println!("{:?}", page.users);
    ///     next = page.next;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ApiError`], and [`ExchangeError`](crate::ExchangeError) when no token can be had.
    pub async fn users(&self, search: UserSearch) -> Result<UserPage, Error> {
        let mut url = self.inner.endpoint.at("/api/users");
        {
            let mut query = url.query_pairs_mut();
            if let Some((field, value)) = &search.field {
                if value.is_empty() {
                    return Err(ApiError::EmptySearch.into());
                }
                query.append_pair(&format!("search.{field}"), value);
                query.append_pair(&format!("mode.{field}"), "exact");
            }
            query.append_pair("page", &search.page.to_string());
            query.append_pair("page_size", &search.page_size.to_string());
        }
        let reply = self.send(Call::new("search users", Method::GET, url)).await?;
        let users: Vec<User> = reply.read()?;
        let total = reply.number("total-number");
        let total_is_capped = reply.has("total-number-is-capped");
        let seen = u64::from(search.page) * u64::from(search.page_size);
        let is_full = users.len() >= usize::from(search.page_size);
        let has_more = match (reply.has_next_page(), total) {
            // Whatever was counted, and however small the API makes its pages.
            (Some(true), _) => true,
            _ if total_is_capped => is_full,
            (Some(false), _) => false,
            (None, Some(total)) => total > seen,
            (None, None) => is_full,
        };
        let page = search.page.saturating_add(1);
        Ok(UserPage {
            users,
            total,
            total_is_capped,
            next: has_more.then(|| search.page(page)),
        })
    }

    /// The account of an e-mail address, or `None`.
    ///
    /// # Errors
    ///
    /// As [`users`](Self::users).
    pub async fn user_by_email(&self, address: &str) -> Result<Option<User>, Error> {
        let found = self.users(UserSearch::email(address)).await?;
        let is_it = |user: &User| same(user.primary_email.as_deref(), address);
        Ok(found.users.into_iter().find(is_it))
    }

    /// The account of a phone number in Logto's spelling, digits alone, or `None`.
    ///
    /// # Errors
    ///
    /// As [`users`](Self::users).
    pub async fn user_by_phone(&self, number: &str) -> Result<Option<User>, Error> {
        let found = self.users(UserSearch::phone(number)).await?;
        let is_it = |user: &User| user.primary_phone.as_deref() == Some(number);
        Ok(found.users.into_iter().find(is_it))
    }

    /// The account of a user name, or `None`.
    ///
    /// # Errors
    ///
    /// As [`users`](Self::users).
    pub async fn user_by_username(&self, name: &str) -> Result<Option<User>, Error> {
        let found = self.users(UserSearch::username(name)).await?;
        let exact = found
            .users
            .iter()
            .position(|user| user.username.as_deref() == Some(name));
        let folded = || {
            found
                .users
                .iter()
                .position(|user| same(user.username.as_deref(), name))
        };
        let at = exact.or_else(folded);
        Ok(at.and_then(|at| found.users.into_iter().nth(at)))
    }
}

/// Whoever asks for one account must not get another, should an API not know the search and list everybody.
fn same(found: Option<&str>, asked: &str) -> bool {
    found.is_some_and(|found| found.to_lowercase() == asked.to_lowercase())
}

/// Without the value: it is personal data.
impl std::fmt::Debug for UserSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSearch")
            .field("field", &self.field.as_ref().map(|(field, _)| field))
            .field("page", &self.page)
            .field("page_size", &self.page_size)
            .finish_non_exhaustive()
    }
}
