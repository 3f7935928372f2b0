//! Is this the same as something that was met before? A number of 128 bits stands for it.

use std::hash::{Hash, Hasher};

/// What stands for a value. The same in every run; two values share one as seldom as two numbers drawn by lot.
pub(crate) fn fingerprint(value: &impl Hash) -> u128 {
    let mut lanes = Lanes { first: 0x243f_6a88_85a3_08d3, second: 0x1319_8a2e_0370_7344 };
    value.hash(&mut lanes);
    u128::from(folded(lanes.first, LAST)) << 64 | u128::from(folded(lanes.second, LAST))
}

/// Digits of pi: odd numbers in whose bits nothing repeats.
const FIRST: u64 = 0xa409_3822_299f_31d1;
const SECOND: u64 = 0x082e_fa98_ec4e_6c89;
const LAST: u64 = 0x4528_21e6_38d0_1377;

/// Two numbers that take in each word in another way.
struct Lanes {
    first: u64,
    second: u64,
}

/// Both halves of a product: each bit of it depends on all bits of the number.
fn folded(number: u64, by: u64) -> u64 {
    let product = u128::from(number) * u128::from(by);
    product as u64 ^ (product >> 64) as u64
}

impl Lanes {
    fn take(&mut self, word: u64) {
        self.first = folded(self.first ^ word, FIRST);
        self.second = folded(self.second.rotate_left(29).wrapping_add(word), SECOND);
    }
}

impl Hasher for Lanes {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.take(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // What is written next may be as long as to fill the word.
        last[7] = rest.len() as u8;
        self.take(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, number: u8) {
        self.take(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.take(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.take(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.take(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.take(number as u64);
    }

    fn finish(&self) -> u64 {
        self.first ^ self.second
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn different_values_have_different_fingerprints_in_both_halves() {
        let mut met = (BTreeSet::new(), BTreeSet::new());
        let mut count = 0;
        let mut meet = |number: u128| {
            count += 1;
            met.0.insert((number >> 64) as u64);
            met.1.insert(number as u64);
            assert_eq!((met.0.len(), met.1.len()), (count, count));
        };
        for a in 0..60_u32 {
            for b in 0..60_u8 {
                meet(fingerprint(&(a, b)));
                meet(fingerprint(&(format!("{a}"), "x".repeat(usize::from(b)))));
                meet(fingerprint(&(vec![a; usize::from(b) + 1], Some(b))));
                meet(fingerprint(&(1_u64 << a, u64::MAX - u64::from(b))));
            }
        }
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_run() {
        assert_eq!(fingerprint(&("a", 1_u32, [true, false])), 0xa917_463d_346c_8c89_bdbf_a18b_017a_2de7);
    }
}
