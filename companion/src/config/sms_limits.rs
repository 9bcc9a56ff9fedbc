//! The keys of `[sms]` that bound what text messages cost, whoever carries them (SR-14).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use keyback_core::phone::Region;
use keyback_core::rate_limit::LimitRule;
use serde::{Deserialize, Serialize};

use super::Problems;
use super::sms::SmsConfig;

const HOUR: Duration = Duration::from_secs(3_600);
/// Digits behind the point of a price.
const DECIMALS: usize = 6;

/// An amount of the operator's currency, whichever it is. Written as text, so that no digit gets lost: `"0.0079"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Price(i64);

/// The text is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no amount; write up to seven digits, and up to six behind a point, such as \"0.0079\"")]
pub struct NotAPrice(String);

/// What text messages must keep to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsLimits {
    /// Where numbers may be; none is everywhere.
    countries: Vec<Region>,
    /// Codes to numbers with one beginning.
    pub per_prefix: LimitRule,
    /// In one day, UTC.
    pub messages_per_day: i64,
    /// In one day, UTC. None: prices don't count.
    pub spend_per_day: Option<Price>,
    prices: Vec<(Region, Price)>,
    price_elsewhere: Price,
}

impl Price {
    /// Millionths of the currency.
    pub const fn millionths(self) -> i64 {
        self.0
    }
}

impl SmsLimits {
    /// Whether messages may go to numbers of a country. A number that belongs to none, such as a satellite's, is of no
    /// country of a list.
    pub fn allow(&self, region: Option<Region>) -> bool {
        self.countries.is_empty() || region.is_some_and(|region| self.countries.contains(&region))
    }

    /// What a message to a number of a country costs.
    pub fn price(&self, region: Option<Region>) -> Price {
        let own = self.prices.iter().find(|(known, _)| Some(*known) == region);
        own.map_or(self.price_elsewhere, |(_, price)| *price)
    }
}

impl SmsConfig {
    /// What messages must keep to.
    pub fn limits(&self) -> SmsLimits {
        SmsLimits {
            countries: self.countries.clone(),
            per_prefix: LimitRule::new(self.messages_per_prefix, HOUR),
            messages_per_day: i64::from(self.messages_per_day),
            spend_per_day: self.spend_per_day,
            prices: self.priced().collect(),
            price_elsewhere: self.price_elsewhere.unwrap_or_default(),
        }
    }

    fn priced(&self) -> impl Iterator<Item = (Region, Price)> {
        let priced = self.prices.iter();
        priced.filter_map(|(code, price)| Some((code.parse().ok()?, *price)))
    }

    pub(super) fn check_limits(&self, problems: &mut Problems) {
        for (key, value) in [
            ("messages_per_prefix", self.messages_per_prefix),
            ("messages_per_day", self.messages_per_day),
        ] {
            if !(1..=10_000_000).contains(&value) {
                problems.add(format!("[sms] {key}"), "must be 1 to 10000000");
            }
        }
        for code in self.prices.keys() {
            if let Err(error) = code.parse::<Region>() {
                problems.add("[sms] prices", error);
            }
        }
        let Some(most) = self.spend_per_day else {
            return;
        };
        let unpriced = |region: &Region| !self.priced().any(|(priced, _)| priced == *region);
        let all_priced = !self.countries.is_empty() && !self.countries.iter().any(unpriced);
        if self.price_elsewhere.is_none() && !all_priced {
            problems.add(
                "[sms] spend_per_day",
                "needs price_elsewhere, or a price for each of the countries: otherwise some messages count as nothing",
            );
        }
        let prices = self.prices.values().copied().chain(self.price_elsewhere);
        if prices.clone().any(|price| price > most) || most == Price::default() {
            problems.add(
                "[sms] spend_per_day",
                "is less than one message costs, so that it would never be sent",
            );
        }
    }
}

impl FromStr for Price {
    type Err = NotAPrice;

    fn from_str(text: &str) -> Result<Self, NotAPrice> {
        let wrong = || NotAPrice(text.to_owned());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 7) || !digits(part, DECIMALS) {
            return Err(wrong());
        }
        format!("{whole}{part:0<DECIMALS$}")
            .parse()
            .map(Self)
            .map_err(|_| wrong())
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl TryFrom<String> for Price {
    type Error = NotAPrice;

    fn try_from(text: String) -> Result<Self, NotAPrice> {
        text.parse()
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(change: impl FnOnce(&mut SmsConfig)) -> Vec<String> {
        let mut sms = SmsConfig::default();
        change(&mut sms);
        let mut problems = Problems::default();
        sms.check_limits(&mut problems);
        problems.0
    }

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_exact() {
        for (text, millionths) in [
            ("0.0079", 7_900),
            ("50", 50_000_000),
            ("1.5", 1_500_000),
            ("0.000001", 1),
            ("9999999.999999", 9_999_999_999_999),
        ] {
            assert_eq!(price(text).millionths(), millionths);
            assert_eq!(price(&price(text).to_string()), price(text));
        }
        for text in [
            "",
            ".5",
            "5.",
            "-1",
            "1,5",
            "0.0000001",
            "10000000",
            "1e3",
            "1.2.3",
            "٣",
        ] {
            assert!(text.parse::<Price>().is_err(), "{text}");
        }
    }

    #[test]
    fn sr14_a_cap_of_money_knows_what_every_message_costs() {
        assert_eq!(problems(|_| ()), [""; 0]);
        let unpriced = problems(|sms| sms.spend_per_day = Some(price("50")));
        assert!(unpriced[0].contains("price_elsewhere"), "{unpriced:?}");
        let of_countries = |sms: &mut SmsConfig| {
            sms.spend_per_day = Some(price("50"));
            sms.countries = vec!["US".parse().unwrap(), "DE".parse().unwrap()];
            sms.prices.insert("US".to_owned(), price("0.0079"));
        };
        assert_eq!(problems(of_countries).len(), 1);
        let all = |sms: &mut SmsConfig| {
            of_countries(sms);
            sms.prices.insert("de".to_owned(), price("0.11"));
        };
        assert_eq!(problems(all), [""; 0]);
        let too_dear = problems(|sms| {
            all(sms);
            sms.price_elsewhere = Some(price("51"));
        });
        assert!(too_dear[0].contains("never be sent"), "{too_dear:?}");
        let unknown = problems(|sms| {
            sms.prices.insert("Germany".to_owned(), price("1"));
            sms.messages_per_day = 0;
        });
        assert!(
            unknown.iter().any(|problem| problem.contains("Germany")),
            "{unknown:?}"
        );
        assert!(unknown.iter().any(|problem| problem.contains("messages_per_day")));
    }

    #[test]
    fn sr14_a_list_of_countries_is_a_list_of_what_may_be() {
        let mut sms = SmsConfig::default();
        let region = |code: &str| Some(code.parse::<Region>().unwrap());
        assert!(sms.limits().allow(region("DE")) && sms.limits().allow(None));
        sms.countries = vec!["US".parse().unwrap()];
        sms.prices.insert("us".to_owned(), price("0.0079"));
        sms.price_elsewhere = Some(price("0.2"));
        let limits = sms.limits();
        assert!(limits.allow(region("US")) && !limits.allow(region("CA")) && !limits.allow(None));
        assert_eq!(limits.price(region("US")), price("0.0079"));
        assert_eq!(limits.price(None), price("0.2"));
    }
}
