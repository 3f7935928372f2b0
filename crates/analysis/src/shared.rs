//! How do many ways keep the same facts once? Each has its own as soon as it changes them.

use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// A value that clones share until one of them changes it. Borrowing it to be changed makes a copy if it is shared, so look first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Shared<T>(Rc<T>);

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Rc::make_mut(&mut self.0)
    }
}
