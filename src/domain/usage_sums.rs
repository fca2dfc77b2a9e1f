//! Microsoft's daily sums against the ledger: what is there that nobody here knows of, and, after a restore, which charges
//! it is (`product.md` §4, *Reporting*).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::Date;

/// What a daily sum of a resource is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The UTC day of the use.
    pub day: Date,
    /// The dimension.
    pub dimension: String,
    /// The plan that it was told under.
    pub plan_id: String,
}

/// Daily sums of one resource.
pub type Sums = BTreeMap<Place, Decimal>;

/// Adds to a sum. What does not fit a decimal stays at its end: it is more than anybody sells.
pub fn add(sums: &mut Sums, place: Place, quantity: Decimal) {
    let sum = sums.entry(place).or_default();
    *sum = sum.saturating_add(quantity);
}

/// What Microsoft has more of than the ledger can explain. Less is normal: the sums lag.
#[must_use]
pub fn excess(microsoft: &Sums, explained: &Sums) -> Sums {
    let more = |(place, sum): (&Place, &Decimal)| {
        let known = explained.get(place).copied().unwrap_or_default();
        (*sum > known).then(|| (place.clone(), sum.saturating_sub(known)))
    };
    microsoft.iter().filter_map(more).collect()
}
