//! A page as it arrived, and the forms on it.

use axum::http::HeaderMap;
use url::Url;

use super::html::{Piece, pieces, text};

/// An answer of a server, as the browser shows it.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it was found, after all redirects.
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A form of a page, with the values that its fields have.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: Url,
    pub fields: Vec<(String, String)>,
    /// The page that holds it.
    pub(super) page: Url,
    /// `form-action` of the page's policy.
    pub(super) policy: FormAction,
}

/// Where the answer to a form may lead: `form-action` (CSP Level 3, 6.4.1), applied to every redirect as Chromium does.
#[derive(Clone, Debug)]
pub(super) struct FormAction {
    page: Url,
    /// `None`: the page has no such policy.
    sources: Option<Vec<String>>,
}

impl Page {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<Url> {
        let location = self.headers.get("location")?.to_str().unwrap();
        Some(self.url.join(location).unwrap())
    }

    /// What a person reads.
    pub fn text(&self) -> String {
        text(&pieces(&self.body))
    }

    /// The text of the first element of a kind.
    pub fn text_of(&self, element: &str) -> Option<String> {
        let pieces = pieces(&self.body);
        let from = pieces.iter().position(|piece| piece.is_open(element))?;
        let until = pieces[from..].iter().position(|piece| piece.is_close(element))?;
        Some(text(&pieces[from..from + until]))
    }

    /// How many elements of a kind there are.
    pub fn count_of(&self, element: &str) -> usize {
        let pieces = pieces(&self.body);
        pieces.iter().filter(|piece| piece.is_open(element)).count()
    }

    /// The names of fields that no label tells the meaning of.
    pub fn fields_without_label(&self) -> Vec<String> {
        let pieces = pieces(&self.body);
        let labels: Vec<_> = pieces
            .iter()
            .filter(|piece| piece.is_open("label"))
            .filter_map(|label| label.attribute("for"))
            .collect();
        pieces
            .iter()
            .filter(|piece| piece.is_open("input") && piece.attribute("type") != Some("hidden"))
            .filter(|input| input.attribute("id").is_none_or(|id| !labels.contains(&id)))
            .map(|input| input.attribute("name").unwrap_or_default().to_owned())
            .collect()
    }

    /// The texts of the elements that carry a class.
    pub fn texts_with_class(&self, element: &str, class: &str) -> Vec<String> {
        let pieces = pieces(&self.body);
        let is_it = |piece: &Piece| {
            let classes = piece.attribute("class").unwrap_or_default();
            piece.is_open(element) && classes.split(' ').any(|c| c == class)
        };
        let starts = pieces.iter().enumerate().filter(|(_, piece)| is_it(piece));
        starts
            .map(|(from, _)| {
                let until = pieces[from..].iter().position(|piece| piece.is_close(element));
                text(&pieces[from..from + until.unwrap()])
            })
            .collect()
    }

    /// An attribute of the first element of a kind that has it.
    pub fn attribute(&self, element: &str, attribute: &str) -> Option<String> {
        pieces(&self.body)
            .iter()
            .filter(|piece| piece.is_open(element))
            .find_map(|piece| piece.attribute(attribute).map(str::to_owned))
    }

    /// The element of a name, such as a field: its attribute.
    pub fn field(&self, name: &str, attribute: &str) -> Option<String> {
        pieces(&self.body)
            .iter()
            .find(|piece| piece.attribute("name") == Some(name))
            .and_then(|piece| piece.attribute(attribute).map(str::to_owned))
    }

    /// Where a link of this text leads.
    pub fn link(&self, wanted: &str) -> Option<Url> {
        let pieces = pieces(&self.body);
        let links = pieces.iter().enumerate().filter(|(_, piece)| piece.is_open("a"));
        links
            .filter_map(|(from, link)| {
                let until = pieces[from..].iter().position(|piece| piece.is_close("a"))?;
                let href = link.attribute("href")?;
                (text(&pieces[from..from + until]) == wanted).then(|| self.url.join(href).unwrap())
            })
            .next()
    }

    /// Where all links of the page lead.
    pub fn links(&self) -> Vec<Url> {
        let pieces = pieces(&self.body);
        let links = pieces.iter().filter(|piece| piece.is_open("a"));
        links
            .filter_map(|link| Some(self.url.join(link.attribute("href")?).unwrap()))
            .collect()
    }

    /// The forms of the page.
    pub fn forms(&self) -> Vec<Form> {
        let pieces = pieces(&self.body);
        let mut forms = Vec::new();
        let mut open: Option<Form> = None;
        for piece in &pieces {
            if piece.is_open("form") {
                let action = piece.attribute("action").unwrap_or_default();
                assert_eq!(
                    piece.attribute("method"),
                    Some("post"),
                    "a form that doesn't post"
                );
                open = Some(Form {
                    action: self.url.join(action).unwrap(),
                    fields: Vec::new(),
                    page: self.url.clone(),
                    policy: FormAction::of(self),
                });
            } else if piece.is_open("input")
                && let (Some(form), Some(name)) = (&mut open, piece.attribute("name"))
            {
                let value = piece.attribute("value").unwrap_or_default();
                form.fields.push((name.to_owned(), value.to_owned()));
            } else if piece.is_close("form") {
                forms.extend(open.take());
            }
        }
        forms
    }

    /// Whether a form has a field of this name.
    pub fn has_field(&self, name: &str) -> bool {
        self.find_form(name).is_some()
    }

    fn find_form(&self, field: &str) -> Option<Form> {
        let mut forms = self.forms().into_iter();
        forms.find(|form| form.fields.iter().any(|(name, _)| name == field))
    }

    /// The form that has a field of this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn form_with(&self, field: &str) -> Form {
        self.find_form(field).unwrap_or_else(|| {
            panic!(
                "no form with {field} at {} ({}): {}",
                self.url,
                self.status,
                self.text()
            )
        })
    }

    /// The form that posts to this path.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn form_to(&self, path: &str) -> Form {
        let mut forms = self.forms().into_iter();
        let form = forms.find(|form| form.action.path() == path);
        form.unwrap_or_else(|| panic!("no form to {path} at {}: {}", self.url, self.text()))
    }

    /// Whether every header is there that belongs on every answer (SR-67).
    ///
    /// # Panics
    ///
    /// When one is not.
    pub fn assert_guarded(&self) {
        let fixed = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ];
        for (name, value) in fixed {
            assert_eq!(self.header(name), value, "{name} of {}", self.url);
        }
        let policy = self.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(
                policy.contains(part),
                "{part} is not in {policy:?} of {}",
                self.url
            );
        }
        assert!(!self.header("cache-control").is_empty(), "{}", self.url);
        assert_eq!(self.header("server"), "", "{}", self.url);
    }
}

impl Form {
    /// The form with a field filled in.
    #[must_use]
    pub fn fill(mut self, field: &str, value: &str) -> Self {
        self.fields.retain(|(name, _)| name != field);
        self.fields.push((field.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn body(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }
}

impl FormAction {
    pub(super) fn of(page: &Page) -> Self {
        let policy = page.header("content-security-policy");
        let mut directives = policy.split(';').map(str::trim);
        let sources = directives
            .find_map(|directive| directive.strip_prefix("form-action "))
            .map(|sources| sources.split(' ').map(str::to_owned).collect());
        Self {
            page: page.url.clone(),
            sources,
        }
    }

    pub(super) fn allows(&self, target: &Url) -> bool {
        let Some(sources) = &self.sources else {
            return true;
        };
        sources.iter().any(|source| match source.as_str() {
            "'self'" => self.page.origin() == target.origin(),
            source if source.ends_with(':') => target.scheme() == source.trim_end_matches(':'),
            source => Url::parse(source).is_ok_and(|source| source.origin() == target.origin()),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(policy: &'static str, target: &str) -> bool {
        let page = Page {
            url: Url::parse("http://localhost:3001/sign-in").unwrap(),
            status: 200,
            headers: HeaderMap::from_iter([(
                axum::http::header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(policy),
            )]),
            body: String::new(),
        };
        FormAction::of(&page).allows(&Url::parse(target).unwrap())
    }

    #[test]
    fn form_action_names_whole_origins_and_schemes() {
        let own = "default-src 'none'; form-action 'self'; base-uri 'none'";
        assert!(allows(own, "http://localhost:3001/x"));
        assert!(!allows(own, "http://localhost:3002/x"));
        assert!(!allows(own, "https://localhost:3001/x"));
        let shop = "form-action 'self' http://127.0.0.1:9000 com.example.app:";
        assert!(allows(shop, "http://127.0.0.1:9000/callback?code=x"));
        assert!(!allows(shop, "http://127.0.0.1:9001/callback"));
        assert!(allows(shop, "com.example.app:/callback"));
        assert!(!allows("form-action 'none'", "http://localhost:3001/x"));
        // It does not fall back on `default-src` (CSP Level 3, 6.4.1).
        assert!(allows("default-src 'none'", "https://anywhere.example/"));
    }
}
