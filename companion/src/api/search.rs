//! The query of `GET /api/users`: one exact search of Logto's, and pages.

use keyback_core::identifier::Identifier;

use super::error::ApiError;
use crate::http::forms::Pairs;
use crate::logto_account::with_plus;
use crate::store::accounts::Which;

const PAGE_SIZE: i64 = 20;
/// As Logto: no more at once.
const LARGEST_PAGE: i64 = 100;

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paged {
    page: i64,
    pub(super) limit: i64,
}

impl Default for Paged {
    fn default() -> Self {
        Self {
            page: 1,
            limit: PAGE_SIZE,
        }
    }
}

impl Paged {
    /// Reads a field of the query, if it is one of a page's.
    pub(super) fn read(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "page" => self.page = number(value)?,
            "page_size" => self.limit = number(value)?.min(LARGEST_PAGE),
            // As everywhere, what nobody asks for has no effect.
            _ => {}
        }
        Ok(())
    }

    /// How many stand on the pages before.
    pub(super) fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.limit)
    }
}

/// Which accounts, and which page of them.
pub(super) struct Search {
    pub(super) which: Which,
    pub(super) paged: Paged,
}

impl Search {
    /// Reads a query. A search that is not known is refused: answered without it, everybody would be found.
    pub(super) fn parse(query: &str) -> Result<Self, ApiError> {
        let pairs = Pairs::parse(query.as_bytes(), |_, _| true)
            .map_err(|_| ApiError::invalid_input("The query can't be read."))?;
        let unknown = || {
            ApiError::invalid_input(
                "Search by one of search.id, search.username, search.primaryEmail and search.primaryPhone, with the \
                 mode exact.",
            )
        };
        let mut paged = Paged::default();
        let mut searched: Option<(&str, &str)> = None;
        let mut mode: Option<&str> = None;
        let mut case_matters = false;
        for (name, value) in pairs.iter() {
            match name {
                // As in Logto: of user names alone, since addresses here have one form.
                "isCaseSensitive" => case_matters = value == "true",
                "search" => return Err(unknown()),
                _ => match name.split_once('.') {
                    Some(("search", field)) if searched.is_none() => searched = Some((field, value)),
                    Some(("mode", field)) if mode.is_none() && value == "exact" => mode = Some(field),
                    Some(("search" | "mode", _)) => return Err(unknown()),
                    _ => paged.read(name, value)?,
                },
            }
        }
        let which = match (searched, mode) {
            (None, None) => Which::All,
            (Some((field, value)), Some(of)) if field == of => {
                which(field, value, case_matters).ok_or_else(unknown)?
            }
            _ => return Err(unknown()),
        };
        Ok(Self { which, paged })
    }
}

fn which(field: &str, value: &str, case_matters: bool) -> Option<Which> {
    let identifier = |text: &str| Identifier::parse(text).map_or(Which::None, Which::Identifier);
    Some(match field {
        "id" => Which::Id(value.to_owned()),
        "username" if case_matters => Which::Username(value.to_owned()),
        "username" => Which::UsernameInAnyCase(value.to_owned()),
        "primaryEmail" if value.contains('@') => identifier(value),
        "primaryPhone" if !value.contains('@') => identifier(&with_plus(value)),
        "primaryEmail" | "primaryPhone" => Which::None,
        _ => return None,
    })
}

fn number(text: &str) -> Result<i64, ApiError> {
    let read = text
        .parse()
        .ok()
        .filter(|number| (1..=i64::from(u32::MAX)).contains(number));
    read.ok_or_else(|| ApiError::invalid_input("page and page_size are whole numbers from 1 on."))
}
