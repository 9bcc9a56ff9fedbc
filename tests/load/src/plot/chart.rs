//! A chart of horizontal bars: a label over each row, what came out at its right, a whisker from the lowest to the
//! highest, and a mark where a target was set.

use std::fmt::Write as _;

use crate::stats::Spread;

/// In units of the drawing, which are pixels where it isn't scaled. Narrow, so that a phone need not shrink it much.
const WIDTH: f64 = 480.0;
const MARGIN: f64 = 20.0;
const BAR: f64 = 13.0;
const BAR_GAP: f64 = 4.0;
const LABEL: f64 = 22.0;
const ROW_GAP: f64 = 18.0;
/// Kept free at the right of the longest bar, for its number.
const NUMBER: f64 = 62.0;

/// Whose a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ours,
    Bare,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bare => "bare",
        }
    }
}

pub(super) struct Chart {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) legend: Vec<(Kind, &'static str)>,
    /// What the mark of a target means.
    pub(super) target: Option<&'static str>,
    /// What stands at the right of the rows.
    pub(super) result: &'static str,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) label: String,
    pub(super) result: String,
    pub(super) bars: Vec<Bar>,
    pub(super) target: Option<f64>,
    /// What fills the width; by default the highest of the chart's rows that have none.
    pub(super) scale: Option<f64>,
}

pub(super) struct Bar {
    pub(super) kind: Kind,
    pub(super) spread: Spread,
    pub(super) text: String,
}

const STYLE: &str = "text{font:14px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1d2433}\
.title{font-size:18px;font-weight:650}.quiet{fill:#5a6478}.result{font-weight:650}\
.paper{fill:#fff;stroke:#dfe3ec}.track{fill:#eef1f7}.ours{fill:#2f5bea}.bare{fill:#9aa5ba}\
.whisker{stroke:#1d2433;stroke-width:1.5;opacity:.55}.target{stroke:#c2410c;stroke-width:2;stroke-dasharray:3 2}\
@media(prefers-color-scheme:dark){text{fill:#e8ebf3}.quiet{fill:#a3adc2}.paper{fill:#12161f;stroke:#2a3140}\
.track{fill:#1d2431}.ours{fill:#7f9cff}.bare{fill:#66718a}.whisker{stroke:#e8ebf3}.target{stroke:#fb923c}}";

impl Chart {
    /// The chart as an SVG file.
    pub(super) fn draw(&self) -> String {
        let mut body = String::new();
        // Writing to a string can't fail.
        let height = self.draw_into(&mut body).unwrap_or_default();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
             height=\"{height:.0}\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{}</title>\n\
             <desc id=\"d\">{}</desc>\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" x=\".5\" y=\".5\" width=\"{}\" height=\"{:.1}\" rx=\"10\"/>\n{body}</svg>\n",
            escaped(&self.title),
            escaped(&self.description()),
            WIDTH - 1.0,
            height - 1.0,
        )
    }

    fn draw_into(&self, out: &mut String) -> Result<f64, std::fmt::Error> {
        writeln!(
            out,
            "<text class=\"title\" x=\"{MARGIN}\" y=\"36\">{}</text>",
            escaped(&self.title)
        )?;
        writeln!(
            out,
            "<text class=\"quiet\" x=\"{MARGIN}\" y=\"57\">{}</text>",
            escaped(&self.subtitle)
        )?;
        self.draw_legend(out, 82.0)?;
        let mut y = 104.0;
        let common = self.common_scale();
        for row in &self.rows {
            y = row.draw(out, y, row.scale.unwrap_or(common))?;
        }
        Ok(y + 6.0)
    }

    fn draw_legend(&self, out: &mut String, y: f64) -> std::fmt::Result {
        let mut x = MARGIN;
        for (kind, name) in &self.legend {
            let class = kind.class();
            writeln!(
                out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"2\"/>\
                 <text class=\"quiet\" x=\"{}\" y=\"{y}\">{name}</text>",
                y - 11.0,
                x + 18.0,
            )?;
            x += 18.0 + width_of(name) + 18.0;
        }
        if let Some(name) = self.target {
            writeln!(
                out,
                "<line class=\"target\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>\
                 <text class=\"quiet\" x=\"{3}\" y=\"{y}\">{name}</text>",
                x + 3.0,
                y - 13.0,
                y + 3.0,
                x + 12.0,
            )?;
        }
        let right = WIDTH - MARGIN;
        writeln!(
            out,
            "<text class=\"quiet\" x=\"{right}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
            self.result
        )
    }

    fn common_scale(&self) -> f64 {
        let of_no_own = self.rows.iter().filter(|row| row.scale.is_none());
        let bars = of_no_own.flat_map(|row| &row.bars);
        bars.map(|bar| bar.spread.highest).fold(0.0, f64::max)
    }

    /// What the picture says, for those who don't see it.
    fn description(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let bars = row
                .bars
                .iter()
                .map(|bar| bar.text.as_str())
                .filter(|text| !text.is_empty());
            let bars: Vec<&str> = bars.collect();
            format!("{}: {} {}", row.label, bars.join(" beside "), row.result)
        });
        rows.collect::<Vec<_>>().join("; ")
    }
}

impl Row {
    /// Draws the row from `y` down, and answers where the next begins.
    fn draw(&self, out: &mut String, y: f64, scale: f64) -> Result<f64, std::fmt::Error> {
        let right = WIDTH - MARGIN;
        let room = right
            - MARGIN
            - if self.bars.iter().all(|bar| bar.text.is_empty()) {
                0.0
            } else {
                NUMBER
            };
        let at = |value: f64| MARGIN + room * (value / scale).clamp(0.0, 1.0);
        let base = y + 14.0;
        writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{base}\">{}</text>",
            escaped(&self.label)
        )?;
        writeln!(
            out,
            "<text class=\"result\" x=\"{right}\" y=\"{base}\" text-anchor=\"end\">{}</text>",
            escaped(&self.result)
        )?;
        let top = y + LABEL;
        let mut bar_y = top;
        for bar in &self.bars {
            let (end, middle) = (at(bar.spread.median), bar_y + BAR / 2.0);
            writeln!(
                out,
                "<rect class=\"track\" x=\"{MARGIN}\" y=\"{bar_y}\" width=\"{room}\" height=\"{BAR}\" rx=\"3\"/>\
                 <rect class=\"{}\" x=\"{MARGIN}\" y=\"{bar_y}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\"/>",
                bar.kind.class(),
                (end - MARGIN).max(1.0),
            )?;
            let (low, high) = (at(bar.spread.lowest), at(bar.spread.highest));
            if high - low > 1.0 {
                writeln!(
                    out,
                    "<line class=\"whisker\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>"
                )?;
            }
            if !bar.text.is_empty() {
                writeln!(
                    out,
                    "<text class=\"quiet\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                    bar_y + BAR - 1.5,
                    escaped(&bar.text)
                )?;
            }
            bar_y += BAR + BAR_GAP;
        }
        if let Some(target) = self.target {
            let first = top + BAR + 3.0;
            writeln!(
                out,
                "<line class=\"target\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1}\" y2=\"{first}\"/>",
                at(target),
                top - 3.0,
            )?;
        }
        Ok(bar_y + ROW_GAP)
    }
}

/// About how wide a word of the legend is.
fn width_of(text: &str) -> f64 {
    f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)) * 7.3
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_says_everything_in_words_too_and_follows_the_scheme() {
        let chart = Chart {
            title: "A & B".to_owned(),
            subtitle: "x < y".to_owned(),
            legend: vec![(Kind::Ours, "ours"), (Kind::Bare, "bare")],
            target: Some("at least"),
            result: "ratio",
            rows: vec![Row {
                label: "sign-ins".to_owned(),
                result: "0.97".to_owned(),
                bars: vec![Bar {
                    kind: Kind::Ours,
                    spread: Spread::of(&[30.0, 40.0, 50.0]),
                    text: "40".to_owned(),
                }],
                target: Some(38.0),
                scale: None,
            }],
        };
        let svg = chart.draw();
        assert!(svg.contains("<title id=\"t\">A &amp; B</title>"));
        assert!(svg.contains("sign-ins: 40 0.97"));
        assert!(svg.contains("prefers-color-scheme:dark"));
        assert!(svg.contains("class=\"whisker\"") && svg.contains("class=\"target\""));
        // The whisker of the chart's highest number fills the room that bars have.
        let room = (WIDTH - 2.0 * MARGIN - NUMBER) * 0.8;
        assert!(
            svg.contains(&format!("class=\"ours\" x=\"20\" y=\"126\" width=\"{room:.1}\"")),
            "{svg}"
        );
    }
}
