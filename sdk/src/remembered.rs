//! What is remembered for a while, and within bounds.

use std::collections::HashMap;
use std::time::SystemTime;

/// Values by name, each until its time, and at most so many: where it is full, what is over goes, and then what would be over first.
#[derive(Debug)]
pub(crate) struct Remembered<V> {
    most: usize,
    held: HashMap<String, (V, SystemTime)>,
}

impl<V> Remembered<V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            held: HashMap::new(),
        }
    }

    pub(crate) fn find(&self, name: &str, now: SystemTime) -> Option<&V> {
        let (value, until) = self.held.get(name)?;
        (now < *until).then_some(value)
    }

    pub(crate) fn keep(&mut self, name: String, value: V, until: SystemTime, now: SystemTime) {
        if self.held.len() >= self.most {
            self.held.retain(|_, (_, until)| now < *until);
        }
        if self.held.len() >= self.most && !self.held.contains_key(&name) {
            let first = self.held.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(first) = first.map(|(name, _)| name.clone()) {
                self.held.remove(&first);
            }
        }
        self.held.insert(name, (value, until));
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.held.remove(name);
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_value_is_there_until_its_time() {
        let mut remembered = Remembered::new(2);
        remembered.keep("a".to_owned(), 1, at(10), at(0));
        assert_eq!(remembered.find("a", at(9)), Some(&1));
        assert_eq!(remembered.find("a", at(10)), None);
        remembered.forget("a");
        assert_eq!(remembered.find("a", at(0)), None);
    }

    #[test]
    fn it_holds_no_more_than_it_may_and_what_is_over_goes_first() {
        let mut remembered = Remembered::new(2);
        remembered.keep("over".to_owned(), 0, at(1), at(0));
        remembered.keep("long".to_owned(), 1, at(99), at(0));
        remembered.keep("short".to_owned(), 2, at(50), at(2));
        assert_eq!((remembered.len(), remembered.find("long", at(2))), (2, Some(&1)));
        remembered.keep("short".to_owned(), 3, at(60), at(2));
        assert_eq!((remembered.len(), remembered.find("short", at(2))), (2, Some(&3)));
        remembered.keep("new".to_owned(), 4, at(70), at(2));
        assert_eq!((remembered.len(), remembered.find("short", at(2))), (2, None));
    }
}
