//! Nothing of its own: the tests run the fixtures against the real engines.
