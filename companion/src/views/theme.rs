//! An operator's brand, made into a style sheet whose every text is readable in light and in dark.

use std::fmt::Write as _;
use std::sync::Arc;

use super::assets::{self, Asset};
use super::color::{Color, Oklch};

/// The contrast of text, WCAG 2.2, 1.4.3.
const TEXT: f64 = 4.5;
/// The contrast of the edges and rings that controls are known by, WCAG 2.2, 1.4.11.
const SHAPE: f64 = 3.0;

/// Whose pages these are: the operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    pub name: String,
    pub color: Color,
    /// Address of an image of this origin, since the pages load nothing from elsewhere. Without one, the name's first letter.
    pub logo: Option<String>,
}

/// A brand with its style sheet, made once at the start and shared by all pages.
#[derive(Clone, Debug)]
pub struct Theme {
    brand: Brand,
    light: Tokens,
    dark: Tokens,
    style: Arc<Asset>,
}

/// The colours of one scheme. Every pair that carries text keeps 4.5, every edge and ring 3.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    pub ground: Color,
    pub glow: Color,
    pub card: Color,
    pub ink: Color,
    pub soft: Color,
    pub line: Color,
    pub edge: Color,
    pub brand: Color,
    pub brand_ink: Color,
    pub brand_edge: Color,
    pub link: Color,
    pub tint: Color,
    pub ok: Color,
    pub ok_tint: Color,
    pub bad: Color,
    pub bad_tint: Color,
}

impl Theme {
    pub fn new(brand: Brand) -> Self {
        let (light, dark) = (Tokens::light(brand.color), Tokens::dark(brand.color));
        let style = Arc::new(assets::style(&light, &dark));
        Self {
            brand,
            light,
            dark,
            style,
        }
    }

    pub fn name(&self) -> &str {
        &self.brand.name
    }

    pub fn color(&self) -> Color {
        self.brand.color
    }

    pub fn logo(&self) -> Option<&str> {
        self.brand.logo.as_deref()
    }

    /// The whole style sheet of every page, with its source for `style-src`.
    pub fn style(&self) -> &Asset {
        &self.style
    }

    pub fn light(&self) -> &Tokens {
        &self.light
    }

    pub fn dark(&self) -> &Tokens {
        &self.dark
    }

    /// The letter that stands for a brand without a logo.
    pub fn initial(&self) -> String {
        initial(&self.brand.name)
    }

    /// The icon of the browser's tab, as the pages' `<link rel="icon">` asks for at `/favicon.svg`.
    pub fn favicon(&self) -> String {
        let initial = self.initial().replace('&', "&amp;").replace('<', "&lt;");
        let Tokens { brand, brand_ink, .. } = self.light;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" height=\"32\" rx=\"9\" fill=\"{brand}\"/>\
             <text x=\"16\" y=\"22.5\" text-anchor=\"middle\" font-family=\"system-ui,sans-serif\" font-size=\"18\" font-weight=\"700\" \
             fill=\"{brand_ink}\">{initial}</text></svg>"
        )
    }
}

impl Tokens {
    /// Day: the brand's own colour on the buttons, greys that lean towards its hue.
    pub fn light(brand: Color) -> Self {
        let hue = brand.oklch();
        let gray = |lightness: f64, chroma: f64| lean(hue, lightness, chroma).color();
        let (card, ground) = (Color::WHITE, gray(0.972, 0.008));
        let glow = brand.over(ground, 0.13);
        let tint = brand.over(card, 0.08);
        let (ok_tint, bad_tint) = (GREEN.color().over(card, 0.1), RED.color().over(card, 0.08));
        let grounds = [card, ground, glow, tint];
        Self {
            ground,
            glow,
            card,
            ink: gray(0.235, 0.028),
            soft: lean(hue, 0.50, 0.028).until(-0.01, TEXT, &grounds),
            line: gray(0.91, 0.012),
            edge: lean(hue, 0.70, 0.022).until(-0.01, SHAPE, &grounds),
            brand,
            brand_ink: ink_on(brand),
            brand_edge: hue.until(-0.01, SHAPE, &grounds),
            link: hue.until(-0.01, TEXT, &grounds),
            tint,
            ok: GREEN.until(-0.01, TEXT, &[card, ground, ok_tint]),
            ok_tint,
            bad: RED.until(-0.01, TEXT, &[card, ground, bad_tint]),
            bad_tint,
        }
    }

    /// Night: the same hue, lifted until it can be read.
    pub fn dark(brand: Color) -> Self {
        let hue = brand.oklch();
        let gray = |lightness: f64, chroma: f64| lean(hue, lightness, chroma).color();
        let (card, ground) = (gray(0.235, 0.02), gray(0.18, 0.018));
        let glow = brand.over(ground, 0.16);
        // A grey of middle lightness would look switched off: a brand without a hue is nearly white by night.
        let least = if hue.chroma < 0.04 { 0.92 } else { 0.6 };
        let lifted = Oklch::new(hue.lightness.max(least), hue.chroma.min(0.15), hue.hue);
        let tint = lifted.color().over(card, 0.12);
        let grounds = [card, ground, glow, tint];
        let brand = lifted.until(0.01, 5.5, &[card, ground]);
        let (green, red) = (
            Oklch {
                lightness: 0.78,
                ..GREEN
            },
            Oklch {
                lightness: 0.74,
                ..RED
            },
        );
        let (ok_tint, bad_tint) = (green.color().over(card, 0.14), red.color().over(card, 0.14));
        Self {
            ground,
            glow,
            card,
            ink: gray(0.955, 0.008),
            soft: lean(hue, 0.72, 0.022).until(0.01, TEXT, &grounds),
            line: gray(0.335, 0.022),
            edge: lean(hue, 0.5, 0.026).until(0.01, SHAPE, &grounds),
            brand,
            brand_ink: ink_on(brand),
            brand_edge: lifted.until(0.01, SHAPE, &grounds),
            link: brand.oklch().until(0.01, TEXT, &grounds),
            tint,
            ok: green.until(0.01, TEXT, &[card, ground, ok_tint]),
            ok_tint,
            bad: red.until(0.01, TEXT, &[card, ground, bad_tint]),
            bad_tint,
        }
    }

    pub(super) fn css(&self) -> String {
        let named = [
            ("ground", self.ground),
            ("glow", self.glow),
            ("card", self.card),
            ("ink", self.ink),
            ("soft", self.soft),
            ("line", self.line),
            ("edge", self.edge),
            ("brand", self.brand),
            ("brand-ink", self.brand_ink),
            ("brand-edge", self.brand_edge),
            ("link", self.link),
            ("tint", self.tint),
            ("ok", self.ok),
            ("ok-tint", self.ok_tint),
            ("bad", self.bad),
            ("bad-tint", self.bad_tint),
        ];
        named.iter().fold(String::new(), |mut css, (name, color)| {
            // Writing to a String cannot fail.
            let _ = write!(css, "--{name}:{color};");
            css
        })
    }
}

/// The letter that stands for a name: of a brand, of a person.
pub(crate) fn initial(name: &str) -> String {
    let letter = name.chars().find(|letter| letter.is_alphanumeric());
    letter.map_or_else(String::new, |letter| letter.to_uppercase().collect())
}

const GREEN: Oklch = Oklch::new(0.56, 0.125, 2.77);
const RED: Oklch = Oklch::new(0.54, 0.19, 0.47);

/// A grey that leans towards the brand's hue; towards none where the brand itself is grey.
fn lean(brand: Oklch, lightness: f64, chroma: f64) -> Oklch {
    Oklch::new(lightness, chroma.min(brand.chroma), brand.hue)
}

/// White where it can be read, otherwise nearly black: one of the two always can.
fn ink_on(ground: Color) -> Color {
    if ground.contrast(Color::WHITE) >= TEXT {
        return Color::WHITE;
    }
    let hue = ground.oklch();
    Oklch::new(0.24, hue.chroma.min(0.05), hue.hue).until(-0.01, TEXT, &[ground])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_readable(scheme: &str, brand: Color, tokens: &Tokens) {
        let Tokens {
            ground,
            glow,
            card,
            tint,
            ..
        } = *tokens;
        let texts = [
            ("ink", tokens.ink, vec![ground, glow, card, tint]),
            ("soft", tokens.soft, vec![ground, glow, card, tint]),
            ("link", tokens.link, vec![ground, glow, card, tint]),
            ("brand-ink", tokens.brand_ink, vec![tokens.brand]),
            ("ok", tokens.ok, vec![card, ground, tokens.ok_tint]),
            ("bad", tokens.bad, vec![card, ground, tokens.bad_tint]),
            ("ink on notes", tokens.ink, vec![tokens.ok_tint, tokens.bad_tint]),
        ];
        for (name, text, grounds) in texts {
            for on in grounds {
                let ratio = text.contrast(on);
                assert!(
                    ratio >= TEXT,
                    "{brand} {scheme}: {name} {text} on {on} has {ratio:.2}"
                );
            }
        }
        for (name, shape) in [("edge", tokens.edge), ("brand-edge", tokens.brand_edge)] {
            for on in [ground, glow, card, tint] {
                let ratio = shape.contrast(on);
                assert!(
                    ratio >= SHAPE,
                    "{brand} {scheme}: {name} {shape} on {on} has {ratio:.2}"
                );
            }
        }
    }

    /// SR-83: whatever colour the operator chose, text keeps 4.5 and edges keep 3, in both schemes.
    #[test]
    fn every_brand_color_is_readable_in_light_and_dark() {
        let steps = ["00", "33", "66", "77", "99", "bb", "ff"];
        for red in steps {
            for green in steps {
                for blue in steps {
                    let brand: Color = format!("#{red}{green}{blue}").parse().unwrap();
                    assert_readable("light", brand, &Tokens::light(brand));
                    assert_readable("dark", brand, &Tokens::dark(brand));
                }
            }
        }
    }

    #[test]
    fn the_brand_keeps_its_own_color_by_day() {
        let brand: Color = "#2f5bea".parse().unwrap();
        assert_eq!(Tokens::light(brand).brand, brand);
    }

    #[test]
    fn the_initial_is_the_first_letter_of_the_name() {
        let theme = |name: &str| {
            Theme::new(Brand {
                name: name.to_owned(),
                color: "#2f5bea".parse().unwrap(),
                logo: None,
            })
        };
        assert_eq!(theme("  larkspur").initial(), "L");
        assert_eq!(theme("« École »").initial(), "É");
        assert_eq!(theme("***").initial(), "");
        assert!(!theme("<script>").favicon().contains("<script"));
    }
}
