//! A colour, and the arithmetic that keeps text readable on it (WCAG 2.2, 1.4.3 and 1.4.11).

use std::fmt;
use std::str::FromStr;

/// An sRGB colour, written `#rrggbb` (or `#rgb`) by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

/// What was written is not `#rrggbb` or `#rgb`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written #rrggbb, such as #2f5bea")]
pub struct ColorError;

/// Lightness 0 to 1, chroma from 0, hue in radians: equal steps look equal (Oklab, in polar form).
#[derive(Clone, Copy, Debug)]
pub(super) struct Oklch {
    pub(super) lightness: f64,
    pub(super) chroma: f64,
    pub(super) hue: f64,
}

impl Color {
    /// Keyback's own blue, for who chooses none.
    pub const KEYBACK: Self = Self {
        red: 0x2f,
        green: 0x5b,
        blue: 0xea,
    };
    pub const WHITE: Self = Self {
        red: 255,
        green: 255,
        blue: 255,
    };

    /// Relative luminance, WCAG 2.2.
    pub fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio, 1 to 21, WCAG 2.2.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn linear(self) -> [f64; 3] {
        [self.red, self.green, self.blue].map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    pub(super) fn oklch(self) -> Oklch {
        let [r, g, b] = self.linear();
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        let lightness = 0.210_454_255_3 * l + 0.793_617_785 * m - 0.004_072_046_8 * s;
        let a = 1.977_998_495_1 * l - 2.428_592_205 * m + 0.450_593_709_9 * s;
        let b = 0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766 * s;
        Oklch {
            lightness,
            chroma: a.hypot(b),
            hue: b.atan2(a),
        }
    }

    /// `share` of `self` over the rest of `under`, channel by channel, as the browser paints a translucent layer.
    pub(super) fn over(self, under: Self, share: f64) -> Self {
        let mix = |top: u8, bottom: u8| {
            to_channel((f64::from(top) * share + f64::from(bottom) * (1.0 - share)) / 255.0)
        };
        Self {
            red: mix(self.red, under.red),
            green: mix(self.green, under.green),
            blue: mix(self.blue, under.blue),
        }
    }
}

impl Oklch {
    pub(super) const fn new(lightness: f64, chroma: f64, hue: f64) -> Self {
        Self {
            lightness,
            chroma,
            hue,
        }
    }

    /// The nearest colour a screen can show: chroma gives way, lightness and hue stay.
    pub(super) fn color(self) -> Color {
        let mut chroma = self.chroma;
        loop {
            let [red, green, blue] = Self { chroma, ..self }.linear();
            let inside = |channel: f64| (-0.000_5..=1.000_5).contains(&channel);
            if chroma <= 0.0 || (inside(red) && inside(green) && inside(blue)) {
                return Color {
                    red: encode(red),
                    green: encode(green),
                    blue: encode(blue),
                };
            }
            chroma -= 0.004;
        }
    }

    /// The first colour, going step by step lighter or darker, that reaches `ratio` on every one of `grounds`.
    pub(super) fn until(self, step: f64, ratio: f64, grounds: &[Color]) -> Color {
        let mut tried = self;
        loop {
            let color = tried.color();
            let enough = grounds.iter().all(|ground| color.contrast(*ground) >= ratio);
            if enough || !(0.0..=1.0).contains(&tried.lightness) {
                return color;
            }
            tried.lightness += step;
        }
    }

    fn linear(self) -> [f64; 3] {
        let (a, b) = (
            self.chroma.max(0.0) * self.hue.cos(),
            self.chroma.max(0.0) * self.hue.sin(),
        );
        let l = (self.lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (self.lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (self.lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
        [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
        ]
    }
}

fn encode(linear: f64) -> u8 {
    let value = linear.clamp(0.0, 1.0);
    to_channel(if value <= 0.003_130_8 {
        value * 12.92
    } else {
        1.055 * value.powf(1.0 / 2.4) - 0.055
    })
}

fn to_channel(value: f64) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

impl FromStr for Color {
    type Err = ColorError;

    fn from_str(written: &str) -> Result<Self, ColorError> {
        let digits = written.strip_prefix('#').ok_or(ColorError)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ColorError);
        }
        let long = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return Err(ColorError),
        };
        let channel = |from: usize| u8::from_str_radix(&long[from..from + 2], 16).map_err(|_| ColorError);
        Ok(Self {
            red: channel(0)?,
            green: channel(2)?,
            blue: channel(4)?,
        })
    }
}

impl fmt::Display for Color {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let black: Color = "#000".parse().unwrap();
        assert!((black.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
        let gray: Color = "#767676".parse().unwrap();
        assert!((gray.contrast(Color::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn oklch_and_back_is_the_same_color() {
        for written in ["#2f5bea", "#ffffff", "#000000", "#ffe600", "#13a10e", "#c50f1f"] {
            let color: Color = written.parse().unwrap();
            assert_eq!(color.oklch().color().to_string(), written);
        }
    }

    #[test]
    fn only_hexadecimal_colors_are_colors() {
        for wrong in [
            "2f5bea",
            "#2f5be",
            "red",
            "#2f5bez",
            "",
            "#",
            "#ééé",
            "#fff;}body{display:none",
        ] {
            assert_eq!(wrong.parse::<Color>(), Err(ColorError), "{wrong}");
        }
    }
}
