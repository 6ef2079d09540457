//! Lists of ids: the conditions that hold of whatever is in one. Must not know where a list comes from.

use pgrx::PgList;
use pgrx::pg_sys::{self, Expr, NodeTag};
use zerodb_hooks_contract::event_log::COMPLETION_SPAN;

use super::expression::{
    INT8_ABOVE, INT8_AT_LEAST, INT8_AT_MOST, XID8_AT_LEAST, XID8_AT_MOST, XID8_BELOW, bound, constant,
};
use super::relation::Columns;

/// The type of arrays of xid8 (pg_type.dat).
pub const XID8S: pg_sys::Oid = pg_sys::XID8ARRAYOID;

/// Ranges that are looked for one by one; more of them are taken as one.
const MOST_RANGES: usize = 64;

/// How many values a list has, as the planner estimates.
pub unsafe fn length(root: *mut pg_sys::PlannerInfo, list: *mut Expr) -> f64 {
    // SAFETY: an expression whose type is an array.
    unsafe {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        let length = {
            let _ = root;
            f64::from(pg_sys::estimate_array_length(list.cast()))
        };
        #[cfg(not(any(feature = "pg15", feature = "pg16")))]
        let length = pg_sys::estimate_array_length(root, list.cast());
        length.max(1.0)
    }
}

/// `column = ANY (list)`.
pub unsafe fn is_in(operator: u32, column: *mut Expr, list: *mut Expr) -> *mut Expr {
    // SAFETY: a node has the size and the tag of its type, and zeros for the rest, as makeNode would give it; the
    // operator is that of the column's type, and the list an array of it.
    unsafe {
        let node =
            pg_sys::palloc0(size_of::<pg_sys::ScalarArrayOpExpr>()).cast::<pg_sys::ScalarArrayOpExpr>();
        (*node).xpr.type_ = NodeTag::T_ScalarArrayOpExpr;
        (*node).opno = operator.into();
        (*node).useOr = true;
        (*node).location = -1;
        let mut sides = PgList::<Expr>::new();
        sides.push(column);
        sides.push(list);
        (*node).args = sides.into_pg();
        pg_sys::set_sa_opfuncid(node);
        node.cast()
    }
}

/// The completions that may have one of these ids, where the list is a constant. Empty or longer than can be looked
/// for, it says nothing.
pub unsafe fn around_ids(rel: *mut pg_sys::RelOptInfo, columns: &Columns, list: *mut Expr) -> Vec<*mut Expr> {
    // SAFETY: handed on from the caller; the columns are of these types.
    unsafe {
        let ranges = ranges(values(list));
        let kind = pg_sys::INT8OID;
        any(ranges, |low, high| {
            [
                bound(rel, INT8_AT_MOST, columns.first_id, kind, constant(kind, high)),
                bound(
                    rel,
                    INT8_ABOVE,
                    columns.first_id,
                    kind,
                    constant(kind, before(low)),
                ),
                bound(rel, INT8_AT_LEAST, columns.last_id, kind, constant(kind, low)),
            ]
        })
    }
}

/// The completions that may have one of these transactions, as for `around_ids`.
pub unsafe fn around_transactions(
    rel: *mut pg_sys::RelOptInfo,
    columns: &Columns,
    list: *mut Expr,
) -> Vec<*mut Expr> {
    // SAFETY: as in `around_ids`.
    unsafe {
        let ranges = ranges(values(list));
        let kind = pg_sys::XID8OID;
        any(ranges, |low, high| {
            let end = high.saturating_add(COMPLETION_SPAN);
            [
                bound(rel, XID8_AT_MOST, columns.first_xid, kind, constant(kind, high)),
                bound(rel, XID8_AT_LEAST, columns.last_xid, kind, constant(kind, low)),
                bound(rel, XID8_BELOW, columns.last_xid, kind, constant(kind, end)),
            ]
        })
    }
}

/// The value less the span of a completion; ids are never negative.
fn before(low: u64) -> u64 {
    low.cast_signed()
        .saturating_sub(COMPLETION_SPAN.cast_signed())
        .cast_unsigned()
}

/// The values of a constant list of eight-byte or four-byte numbers, without nulls; none of any other expression.
unsafe fn values(list: *mut Expr) -> Vec<i64> {
    // SAFETY: a node is what its tag says; a constant that is not null has a value of its type, and an array the
    // elements that deconstruct_array says.
    unsafe {
        let constant = list.cast::<pg_sys::Const>();
        if (*list).type_ != NodeTag::T_Const || (*constant).constisnull {
            return Vec::new();
        }
        let list = constant;
        let element = pg_sys::get_element_type((*list).consttype);
        let is_short = element == pg_sys::INT4OID;
        if !is_short && element != pg_sys::INT8OID && element != pg_sys::XID8OID {
            return Vec::new();
        }
        let array = pg_sys::pg_detoast_datum((*list).constvalue.cast_mut_ptr()).cast();
        let (length, alignment) = if is_short { (4, b'i') } else { (8, b'd') };
        let (mut elements, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
        let alignment = alignment as std::ffi::c_char;
        pg_sys::deconstruct_array(
            array,
            element,
            length,
            true,
            alignment,
            &raw mut elements,
            &raw mut nulls,
            &raw mut count,
        );
        let read = |at: usize| {
            let value = (*elements.add(at)).value();
            if is_short {
                i64::from(value as i32)
            } else {
                value as i64
            }
        };
        let count = usize::try_from(count).unwrap_or(0);
        (0..count).filter(|at| !*nulls.add(*at)).map(read).collect()
    }
}

/// The least ranges, at most `MOST_RANGES`, that hold the values: those that are near each other are in one.
fn ranges(mut values: Vec<i64>) -> Vec<(u64, u64)> {
    values.sort_unstable();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for value in values {
        match ranges.last_mut() {
            Some((_, high)) if value.abs_diff(*high) < COMPLETION_SPAN => *high = value,
            _ => ranges.push((value, value)),
        }
    }
    if let [(low, _), .., (_, high)] = ranges[..]
        && ranges.len() > MOST_RANGES
    {
        ranges = vec![(low, high)];
    }
    let as_bits = |(low, high): (i64, i64)| (low.cast_unsigned(), high.cast_unsigned());
    ranges.into_iter().map(as_bits).collect()
}

/// Conditions that all hold: the bounds of the one range, or that those of one of them do. Nothing without a range.
unsafe fn any(ranges: Vec<(u64, u64)>, mut bounds: impl FnMut(u64, u64) -> [*mut Expr; 3]) -> Vec<*mut Expr> {
    if let [(low, high)] = ranges[..] {
        return bounds(low, high).into();
    }
    let mut either = PgList::<Expr>::new();
    for (low, high) in ranges {
        let mut all = PgList::<Expr>::new();
        bounds(low, high).into_iter().for_each(|bound| all.push(bound));
        // SAFETY: a list in the planner's memory.
        either.push(unsafe { pg_sys::make_andclause(all.into_pg()) });
    }
    if either.is_empty() {
        return Vec::new();
    }
    // SAFETY: as above.
    vec![unsafe { pg_sys::make_orclause(either.into_pg()) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_near_each_other_are_one_range() {
        assert_eq!(ranges(vec![]), []);
        assert_eq!(ranges(vec![7, 5, 9000, 6]), [(5, 7), (9000, 9000)]);
    }

    #[test]
    fn many_ranges_are_taken_as_one() {
        let far = (0..100).map(|number| number * 10_000).collect();
        assert_eq!(ranges(far), [(0, 990_000)]);
        let long = (0..100).map(|number| number * 2000).collect();
        assert_eq!(ranges(long), [(0, 198_000)]);
    }
}
