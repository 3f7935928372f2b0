//! How are the parts of a body numbered?

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index into the vector it numbers.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}
index!(
    /// A variable or temporary of a [`Body`](crate::Body).
    LocalId
);
index!(
    /// A basic block of a [`Body`](crate::Body).
    BlockId
);
index!(
    /// A condition that a [`Body`](crate::Body) tests more than once and that cannot change in between.
    ConditionId
);
