//! Lists by pages: which page is asked for, and what the answer tells of the others.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::{Url, form_urlencoded};

use super::error::ApiError;

/// Entries of a page, where nobody says how many.
const PAGE_SIZE: i64 = 20;
/// As Logto: no more at once.
const LARGEST_PAGE: i64 = 100;
/// How many entries there are on all pages.
const TOTAL: HeaderName = HeaderName::from_static("total-number");

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Counted from one.
    number: i64,
    size: i64,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            number: 1,
            size: PAGE_SIZE,
        }
    }
}

impl Page {
    /// Reads a parameter, if it is one of pages. Answers whether it was.
    pub(super) fn read(&mut self, name: &str, value: &str) -> Result<bool, ApiError> {
        match name {
            "page" => self.number = number(value)?,
            "page_size" => self.size = number(value)?.min(LARGEST_PAGE),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn offset(self) -> i64 {
        (self.number - 1).saturating_mul(self.size)
    }

    pub(super) fn limit(self) -> i64 {
        self.size
    }

    /// How many entries there are, and a `Link` (RFC 8288) to each page that one may go to from here: `asked` with another
    /// number.
    pub(super) fn headers(self, asked: &Url, total: i64) -> HeaderMap {
        let last = total.saturating_add(self.size - 1) / self.size;
        let last = last.max(1);
        let mut headers = HeaderMap::new();
        headers.insert(TOTAL, total.into());
        let relations = [
            ("first", Some(1)),
            ("last", Some(last)),
            ("prev", (self.number > 1).then(|| self.number - 1)),
            ("next", (self.number < last).then(|| self.number + 1)),
        ];
        for (relation, number) in relations {
            let link = number.map(|number| format!("<{}>; rel=\"{relation}\"", numbered(asked, number)));
            // A URL is ASCII, so that it always fits.
            let value = link.and_then(|link| HeaderValue::try_from(link).ok());
            if let Some(value) = value {
                headers.append(header::LINK, value);
            }
        }
        headers
    }
}

fn numbered(asked: &Url, number: i64) -> Url {
    let others = form_urlencoded::parse(asked.query().unwrap_or_default().as_bytes());
    let mut url = asked.clone();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others.filter(|(name, _)| name != "page"))
        .append_pair("page", &number.to_string());
    url
}

fn number(text: &str) -> Result<i64, ApiError> {
    let read = text
        .parse()
        .ok()
        .filter(|number| (1..=i64::from(u32::MAX)).contains(number));
    read.ok_or_else(ApiError::invalid_pagination)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(query: &str, total: i64) -> Vec<String> {
        let asked = Url::parse(&format!("https://id.example.com/api/users?{query}")).unwrap();
        let mut page = Page::default();
        for (name, value) in asked.query_pairs() {
            page.read(&name, &value).unwrap();
        }
        let headers = page.headers(&asked, total);
        assert_eq!(headers[TOTAL], total.to_string());
        let links = headers.get_all(header::LINK).iter();
        links
            .map(|link| {
                link.to_str()
                    .unwrap()
                    .replace("https://id.example.com/api/users", "")
            })
            .collect()
    }

    #[test]
    fn links_lead_to_the_first_last_previous_and_next_page() {
        let search = "search.username=a%26b&mode.username=exact";
        assert_eq!(
            links(&format!("page=2&page_size=10&{search}"), 31),
            ["first", "last", "prev", "next"]
                .iter()
                .zip([1, 4, 1, 3])
                .map(|(relation, page)| {
                    format!("<?page_size=10&{search}&page={page}>; rel=\"{relation}\"")
                })
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn there_is_nothing_before_the_first_page_and_behind_the_last() {
        assert_eq!(
            links("", 0),
            ["<?page=1>; rel=\"first\"", "<?page=1>; rel=\"last\""]
        );
        assert_eq!(
            links("", 20),
            ["<?page=1>; rel=\"first\"", "<?page=1>; rel=\"last\""]
        );
        let second_of_two = [
            "<?page=1>; rel=\"first\"",
            "<?page=2>; rel=\"last\"",
            "<?page=1>; rel=\"prev\"",
        ];
        assert_eq!(links("page=2", 21), second_of_two);
    }

    #[test]
    fn pages_are_whole_numbers_from_one_on_and_of_a_hundred_at_most() {
        for value in ["0", "-1", "", "1.5", "x", "4294967296"] {
            assert!(Page::default().read("page", value).is_err(), "{value}");
            assert!(Page::default().read("page_size", value).is_err(), "{value}");
        }
        let mut page = Page::default();
        assert!(page.read("page_size", "5000").unwrap() && page.read("page", "3").unwrap());
        assert_eq!((page.offset(), page.limit()), (200, 100));
        assert!(!page.read("search", "0").unwrap());
    }
}
