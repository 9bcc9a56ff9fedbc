//! The shortest store of tower-sessions.

use std::collections::HashMap;
use std::future::ready;
use std::pin::Pin;
use std::sync::Mutex;

use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::Result;

#[derive(Debug, Default)]
pub(super) struct Store(Mutex<HashMap<Id, Record>>);

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

impl SessionStore for Store {
    fn save<'a, 'r, 'f>(&'a self, record: &'r Record) -> Answer<'f, ()>
    where
        'a: 'f,
        'r: 'f,
        Self: 'f,
    {
        self.0.lock().unwrap().insert(record.id, record.clone());
        Box::pin(ready(Ok(())))
    }

    fn load<'a, 'r, 'f>(&'a self, id: &'r Id) -> Answer<'f, Option<Record>>
    where
        'a: 'f,
        'r: 'f,
        Self: 'f,
    {
        Box::pin(ready(Ok(self.0.lock().unwrap().get(id).cloned())))
    }

    fn delete<'a, 'r, 'f>(&'a self, id: &'r Id) -> Answer<'f, ()>
    where
        'a: 'f,
        'r: 'f,
        Self: 'f,
    {
        self.0.lock().unwrap().remove(id);
        Box::pin(ready(Ok(())))
    }
}
