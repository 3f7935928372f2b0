//! In which words is a program written? What it does is the same in all of them.

/// How a program says what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With types, functions and methods, as they are.
    Plain,
    /// The pool is a type parameter.
    Generic,
    /// The pool is behind `Arc<dyn ..>`.
    Dyn,
    /// The pool is in a newtype with `Deref`.
    Newtype,
    /// Methods of traits that are implemented for the library's types.
    Extension,
    /// Methods of the unit by a trait.
    Trait,
    /// What writes is ten calls away.
    Deep,
    /// What writes is one of two functions that call each other.
    Mutual,
    /// What writes is a closure.
    Closure,
    /// What writes is a macro.
    Macro,
}

impl Style {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Plain,
        Self::Generic,
        Self::Dyn,
        Self::Newtype,
        Self::Extension,
        Self::Trait,
        Self::Deep,
        Self::Mutual,
        Self::Closure,
        Self::Macro,
    ];

    /// The type parameters of each function, and the type of its pool.
    pub(super) fn pool(self) -> (&'static str, &'static str) {
        match self {
            Self::Generic => ("<P: Opens>", "&P"),
            Self::Dyn => ("", "&Arc<dyn Lends>"),
            Self::Newtype => ("", "&Db"),
            _ => ("", "&PgPool"),
        }
    }

    /// The first line of each function.
    pub(super) fn first(self) -> Option<&'static str> {
        (self == Self::Closure).then_some(
            "let put_here = async |tx: &mut Transaction<'_, Postgres>| -> Result<(), Error> { put(tx).await };",
        )
    }

    /// The call that gives a future of a transaction.
    pub(super) fn opens(self, helper: bool) -> &'static str {
        match (self, helper) {
            (Self::Generic, false) => "pool.opened()",
            (Self::Generic, true) => "opened_by(pool)",
            (Self::Dyn, false) => "pool.lent()",
            (Self::Dyn, true) => "lent_by(pool)",
            (Self::Extension, false) => "pool.opened()",
            (_, true) => "open(pool)",
            (_, false) => "pool.begin()",
        }
    }

    /// The same of a unit.
    pub(super) fn opens_unit(self) -> &'static str {
        match self {
            Self::Generic => "Unit::opened_by(pool)",
            Self::Dyn => "Unit::lent_by(pool)",
            _ => "Unit::begin(pool)",
        }
    }

    /// The future of a write through a transaction; `lent` when the variable is a reference to one.
    pub(super) fn writes(self, name: &str, lent: bool) -> String {
        let reference = if lent { format!("&mut *{name}") } else { format!("&mut {name}") };
        match self {
            Self::Extension => format!("{name}.put_row()"),
            Self::Deep => format!("put_10({reference})"),
            Self::Mutual => format!("put_even({reference}, 3)"),
            Self::Closure => format!("put_here({reference})"),
            Self::Macro => format!("put_row!({}{name})", if lent { "*" } else { "" }),
            _ => {
                let connection = if lent { format!("&mut **{name}") } else { format!("&mut *{name}") };
                format!("sqlx::query(\"INSERT INTO orders DEFAULT VALUES\").execute({connection})")
            }
        }
    }

    /// The name of a method of the unit.
    pub(super) fn method(self, name: &'static str) -> &'static str {
        match (self, name) {
            (Self::Trait, "write") => "enter",
            (Self::Trait, "save") => "keep",
            (Self::Trait, "undo") => "give_up",
            (_, name) => name,
        }
    }
}

/// What the styles need beside the prelude.
pub(super) const WORDS: &str = r#"
pub use std::pin::Pin;
pub use std::sync::Arc;

pub trait Opens {
    fn opened(&self) -> impl Future<Output = Result<Transaction<'static, Postgres>, Error>>;
}

impl Opens for PgPool {
    async fn opened(&self) -> Result<Transaction<'static, Postgres>, Error> {
        self.begin().await
    }
}

pub async fn opened_by<P: Opens>(pool: &P) -> Result<Transaction<'static, Postgres>, Error> {
    check()?;
    pool.opened().await
}

pub type Lent<'a> = Pin<Box<dyn Future<Output = Result<Transaction<'static, Postgres>, Error>> + Send + 'a>>;

pub trait Lends {
    fn lent(&self) -> Lent<'_>;
}

impl Lends for PgPool {
    fn lent(&self) -> Lent<'_> {
        Box::pin(async move { self.begin().await })
    }
}

pub async fn lent_by(pool: &Arc<dyn Lends>) -> Result<Transaction<'static, Postgres>, Error> {
    check()?;
    pool.lent().await
}

impl Unit {
    pub async fn opened_by<P: Opens>(pool: &P) -> Result<Unit, Error> {
        Ok(Unit { tx: pool.opened().await?, count: 0 })
    }

    pub async fn lent_by(pool: &Arc<dyn Lends>) -> Result<Unit, Error> {
        Ok(Unit { tx: pool.lent().await?, count: 0 })
    }
}

pub struct Db(PgPool);

impl std::ops::Deref for Db {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.0
    }
}

pub trait Puts {
    fn put_row(&mut self) -> impl Future<Output = Result<(), Error>>;
}

impl Puts for Transaction<'_, Postgres> {
    async fn put_row(&mut self) -> Result<(), Error> {
        put(self).await
    }
}

pub trait Kept: Sized {
    fn enter(&mut self) -> impl Future<Output = Result<(), Error>>;
    fn keep(self) -> impl Future<Output = Result<(), Error>>;
    fn give_up(self) -> impl Future<Output = Result<(), Error>>;
}

impl Kept for Unit {
    async fn enter(&mut self) -> Result<(), Error> {
        sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn keep(self) -> Result<(), Error> {
        self.tx.commit().await
    }

    async fn give_up(self) -> Result<(), Error> {
        self.tx.rollback().await
    }
}

pub async fn put_even(tx: &mut Transaction<'_, Postgres>, left: u8) -> Result<(), Error> {
    match left {
        0 => put(tx).await,
        left => Box::pin(put_odd(tx, left - 1)).await,
    }
}

pub async fn put_odd(tx: &mut Transaction<'_, Postgres>, left: u8) -> Result<(), Error> {
    match left {
        0 => put(tx).await,
        left => Box::pin(put_even(tx, left - 1)).await,
    }
}

macro_rules! put_row {
    ($tx:expr) => {
        put(&mut $tx)
    };
}
pub(crate) use put_row;
"#;
