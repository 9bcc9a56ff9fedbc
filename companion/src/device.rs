//! What a browser calls itself (`User-Agent`), in words that its owner knows it by: "Firefox on Windows".
//!
//! It is shown to the owner and decides nothing. Every browser's text holds the names of others, so the tables are
//! searched in order, the special before the general.

/// A device, as its owner knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// The program: a browser, where it is one we know.
    pub browser: Option<&'static str>,
    /// The system that it runs on, or the device where that is better known.
    pub system: Option<&'static str>,
    pub shape: Shape,
}

/// What it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A desktop or laptop computer, and what is not known.
    Computer,
    /// Held in the hand: phones and tablets.
    Handheld,
}

const BROWSERS: [(&str, &str); 17] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    // Only Safari itself tells a `Version/` beside its name; Android's old browser is sorted out by its system.
    ("Version/", "Safari"),
];

const SYSTEMS: [(&str, &str, Shape); 9] = [
    ("iPhone", "iPhone", Shape::Handheld),
    ("iPad", "iPad", Shape::Handheld),
    ("iPod", "iPod", Shape::Handheld),
    ("Android", "Android", Shape::Handheld),
    ("CrOS", "ChromeOS", Shape::Computer),
    ("Windows", "Windows", Shape::Computer),
    ("Macintosh", "macOS", Shape::Computer),
    ("Linux", "Linux", Shape::Computer),
    ("BSD", "BSD", Shape::Computer),
];

impl Device {
    /// Reads a `User-Agent`; of none, or of one that says nothing we know, the device is unknown.
    pub fn parse(user_agent: Option<&str>) -> Self {
        let text = user_agent.unwrap_or_default();
        let system = SYSTEMS.iter().find(|(mark, ..)| text.contains(mark));
        let browser = BROWSERS.iter().find(|(mark, _)| text.contains(mark));
        let browser = browser.map(|(_, name)| *name).filter(|name| {
            let on_android = system.is_some_and(|(_, name, _)| *name == "Android");
            !(*name == "Safari" && (on_android || !text.contains("Safari/")))
        });
        Self {
            browser,
            system: system.map(|(_, name, _)| *name),
            shape: system.map_or(Shape::Computer, |(_, _, shape)| *shape),
        }
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.browser, self.system) {
            (Some(browser), Some(system)) => write!(f, "{browser} on {system}"),
            (Some(browser), None) => f.write_str(browser),
            (None, Some(system)) => write!(f, "A browser on {system}"),
            (None, None) => f.write_str("Unknown device"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_what_tells_them_from_those_they_imitate() {
        for (text, words) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox on macOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 \
                 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 CriOS/141.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/144.0 \
                 Mobile/15E148 Safari/605.1.15",
                "Firefox on iPad",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) \
                 SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 \
                 Mobile Safari/534.30",
                "A browser on Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36 OPR/125.0.0.0",
                "Opera on Linux",
            ),
            (
                "Mozilla/5.0 (X11; FreeBSD amd64; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox on BSD",
            ),
            ("curl/8.14.1", "Unknown device"),
            ("", "Unknown device"),
        ] {
            assert_eq!(Device::parse(Some(text)).to_string(), words, "{text}");
        }
        assert_eq!(Device::parse(None).to_string(), "Unknown device");
    }

    #[test]
    fn what_is_held_in_the_hand_is_told_from_a_computer() {
        for (text, shape) in [
            ("(iPhone; CPU iPhone OS 18_5)", Shape::Handheld),
            ("(Linux; Android 10; K)", Shape::Handheld),
            ("(Windows NT 10.0; Win64; x64)", Shape::Computer),
            ("curl/8", Shape::Computer),
        ] {
            assert_eq!(Device::parse(Some(text)).shape, shape, "{text}");
        }
    }

    /// SR-70: of what a browser sends, nothing but our own words is shown.
    #[test]
    fn sr70_nothing_of_the_text_itself_is_shown() {
        let hostile = "<script>alert(1)</script> Firefox/1 (Windows)\u{202e}";
        assert_eq!(Device::parse(Some(hostile)).to_string(), "Firefox on Windows");
    }
}
