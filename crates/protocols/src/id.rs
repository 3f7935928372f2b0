//! How are libraries and their types numbered in a model?

/// Index of a library in a [`Model`](crate::Model).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibraryId(pub u16);

/// Index of a protocol in a [`Model`](crate::Model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProtocolId(pub u16);
