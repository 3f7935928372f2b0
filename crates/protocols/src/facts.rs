//! What is known about one library?

/// One library, as one data file tells it.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Its name: that of the data file.
    pub name: String,
    /// What was read, and where: the first lines of the data file.
    pub about: String,
    /// The packages that bring it in, as named in Cargo.toml.
    pub crates: Vec<String>,
    /// Packages that hand it on to those who depend on them: under a feature, as a rule.
    pub through: Vec<String>,
    /// The versions that the facts were read from.
    pub versions: Vec<String>,
    /// Functions, types and macros of the library that take SQL text and give a statement.
    pub statements: Vec<String>,
    /// Types of statements that have not run yet.
    pub statement_types: Vec<String>,
    /// Macros that take the path of a file with the text, from the package's directory.
    pub files: Vec<String>,
    /// Methods that run the first text among their arguments as SQL.
    pub runs_text: Vec<String>,
    /// Those of them that give no rows: nobody runs a text by one that only reads.
    pub executes: Vec<String>,
    /// Methods that take a text and give a statement that runs later, on the session it was prepared on.
    pub prepares: Vec<String>,
    /// Methods that write: on a session or a handle of it, or given one as an argument.
    pub writes: Vec<String>,
    /// Methods that only read, given a session or pool as an argument.
    pub reads: Vec<String>,
    /// Methods that give a stream, which holds a connection of the pool that they are given until it is dropped.
    pub streams: Vec<String>,
    /// Methods that copy a whole table out of a session, a piece at a time, and the types of what they give.
    pub copies: Vec<String>,
    /// Methods of a session whose result writes through it.
    pub handles: Vec<String>,
    /// Whether they make what is missing: who gets one and does nothing with it wants that.
    pub handles_make: bool,
    /// Methods that run a statement and give a row or none: none means that nothing was written.
    pub optional: Vec<String>,
    /// Whether a method that writes gets its session later in the chain: `insert_one(..).session(&mut session)`.
    pub session_comes_later: bool,
    /// Whether so many packages use it that its name says nothing: the names of its types do.
    pub common: bool,
    /// Words of a package that brings its connections back to a clean state itself.
    pub resets: Vec<String>,
    /// The error of a call that ends a session, and whatever else takes it by `?`: errors, and results with such an error.
    pub errors: Vec<String>,
    /// Whether other calls give other errors than those that end a session.
    pub errors_vary: bool,
    /// Words in the name of a database that is in memory only.
    pub in_memory: Vec<String>,
    /// Whether it makes files and directories that are removed when their guard is dropped.
    pub makes_temporary: bool,
    /// The engines that it may speak to.
    pub engines: crate::protocol::Engines,
}
