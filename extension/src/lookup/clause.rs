//! Conditions that follow from a condition on an id. Only from what is the same for all rows of a query (a constant, a
//! parameter, a stable function of these); everything else is passed over. Must not decide whether they are of use.

use pgrx::PgList;
use pgrx::pg_sys::{self, Expr, Node, NodeTag};

use super::expression::{
    INT4_EQUALS, INT8_ABOVE, INT8_AT_LEAST, INT8_AT_MOST, INT8_EQUALS, INT8_EQUALS_INT4, TEXT_EQUALS,
    XID8_AT_LEAST, XID8_AT_MOST, XID8_BELOW, XID8_EQUALS, before, bound, compare, function, part_of,
    transaction_end, widened,
};
use super::list;
use super::relation::Columns;

const TEXT: pg_sys::Oid = pg_sys::TEXTOID;
const TEXTS: pg_sys::Oid = pg_sys::TEXTARRAYOID;

/// A derived condition, the security level of the one that it is derived from, and how many rows may meet it.
pub struct Condition {
    pub clause: *mut Expr,
    pub level: pg_sys::Index,
    pub rows: f64,
}

pub type Conditions = Vec<Condition>;

/// `_event_id(xid, ord) = x` on a table: `xid` and `ord` are the parts of `x`.
///
/// # Safety
/// A relation of the planner whose conditions are known; so below.
pub unsafe fn of_event(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    xid: i16,
    ord: i16,
) -> Conditions {
    let mut derived = Conditions::new();
    // SAFETY: handed on from the caller.
    unsafe {
        for (clause, level) in conditions(rel) {
            let own = |left: *mut Expr| {
                let parts = event_id_of(left)?;
                let is = |found: *mut pg_sys::Var, number| {
                    (*found).varno as u32 == (*rel).relid && (*found).varattno == number
                };
                (is(parts[0], xid) && is(parts[1], ord)).then_some(parts)
            };
            let copy = |variable: *mut pg_sys::Var| pg_sys::copyObjectImpl(variable.cast()).cast();
            let mut add = |clause, rows| derived.push(Condition { clause, level, rows });
            if let Some((left, id)) = equals(clause, &[TEXT_EQUALS])
                && let Some([xid_of, ord_of]) = own(left)
            {
                let xid = part_of(root, id, c"_event_xid", TEXT, pg_sys::XID8OID);
                add(compare(XID8_EQUALS, copy(xid_of), xid), 1.0);
                let ord = part_of(root, id, c"_event_ord", TEXT, pg_sys::INT4OID);
                add(compare(INT4_EQUALS, copy(ord_of), ord), 1.0);
            } else if let Some((left, ids)) = any_of(clause, &[TEXT_EQUALS])
                && let Some([xid_of, ord_of]) = own(left)
            {
                let rows = list::length(root, ids);
                let xids = part_of(root, ids, c"_event_xids", TEXTS, list::XID8S);
                add(list::is_in(XID8_EQUALS, copy(xid_of), xids), rows);
                let ords = part_of(root, ids, c"_event_ords", TEXTS, pg_sys::INT4ARRAYOID);
                add(list::is_in(INT4_EQUALS, copy(ord_of), ords), rows);
            }
        }
    }
    derived
}

/// `id = x` or `_event_id(xid, ord) = x` on what the arrays of a completion hold: its bounds hold the id, or the
/// transaction.
/// # Safety
/// As for `of_event`.
pub unsafe fn of_completion(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    columns: &Columns,
) -> Conditions {
    let mut derived = Conditions::new();
    // SAFETY: handed on from the caller; `simple_rel_array` has as many entries as its size says, the first of which
    // is empty.
    unsafe {
        for at in 1..(*root).simple_rel_array_size as usize {
            let other = *(*root).simple_rel_array.add(at);
            if other.is_null() || (*other).rtekind != pg_sys::RTEKind::RTE_FUNCTION {
                continue;
            }
            let arrays = Arrays::of(root, rel, at);
            for (clause, level) in conditions(other) {
                let (clauses, rows) = of_list(root, rel, &arrays, columns, clause).unwrap_or_default();
                derived.extend(
                    clauses
                        .into_iter()
                        .map(|clause| Condition { clause, level, rows }),
                );
                let mut add = |operator, column, kind, value| {
                    let clause = bound(rel, operator, column, kind, value);
                    derived.push(Condition {
                        clause,
                        level,
                        rows: 1.0,
                    });
                };
                if let Some((left, value)) = equals(clause, &[INT8_EQUALS, INT8_EQUALS_INT4])
                    && arrays.is(left, columns.ids)
                {
                    let (kind, value) = (pg_sys::INT8OID, widened(root, value));
                    add(INT8_AT_MOST, columns.first_id, kind, value);
                    add(INT8_ABOVE, columns.first_id, kind, before(root, value));
                    add(INT8_AT_LEAST, columns.last_id, kind, value);
                } else if let Some((left, id)) = equals(clause, &[TEXT_EQUALS])
                    && let Some([xid, ord]) = event_id_of(left)
                    && arrays.is(xid.cast(), columns.xids)
                    && arrays.is(ord.cast(), columns.ords)
                {
                    let xid = part_of(root, id, c"_event_xid", TEXT, pg_sys::XID8OID);
                    add_transaction(&mut add, root, columns, xid);
                } else if let Some((left, xid)) = equals(clause, &[XID8_EQUALS])
                    && arrays.is(left, columns.xids)
                {
                    add_transaction(&mut add, root, columns, xid);
                }
            }
        }
    }
    derived
}

/// The same where the id, or the transaction, is one of a list.
unsafe fn of_list(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    arrays: &Arrays,
    columns: &Columns,
    clause: *mut Expr,
) -> Option<(Vec<*mut Expr>, f64)> {
    // SAFETY: handed on from the caller.
    unsafe {
        let (left, values) = any_of(clause, &[INT8_EQUALS, INT8_EQUALS_INT4, TEXT_EQUALS, XID8_EQUALS])?;
        let rows = list::length(root, values);
        let clauses = if arrays.is(left, columns.ids) {
            list::around_ids(rel, columns, values)
        } else if arrays.is(left, columns.xids) {
            list::around_transactions(rel, columns, values)
        } else {
            let [xid, ord] = event_id_of(left)?;
            if !arrays.is(xid.cast(), columns.xids) || !arrays.is(ord.cast(), columns.ords) {
                return None;
            }
            let xids = part_of(root, values, c"_event_xids", TEXTS, list::XID8S);
            list::around_transactions(rel, columns, xids)
        };
        Some((clauses, rows))
    }
}

/// The bounds of the completions that may have this transaction.
unsafe fn add_transaction(
    add: &mut impl FnMut(u32, i16, pg_sys::Oid, *mut Expr),
    root: *mut pg_sys::PlannerInfo,
    columns: &Columns,
    xid: *mut Expr,
) {
    let kind = pg_sys::XID8OID;
    add(XID8_AT_MOST, columns.first_xid, kind, xid);
    add(XID8_AT_LEAST, columns.last_xid, kind, xid);
    // SAFETY: the expression is an xid8.
    add(XID8_BELOW, columns.last_xid, kind, unsafe {
        transaction_end(root, xid)
    });
}

/// The columns of a function `unnest(…)` in FROM that unpack arrays of a completion, by their numbers there.
struct Arrays {
    function: usize,
    columns: Vec<i16>,
}

impl Arrays {
    unsafe fn of(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo, at: usize) -> Self {
        // SAFETY: an entry of the range table that is a function; each function has the expression that calls it. A
        // partition has the numbers of its own columns, which the schema gives in the order of the whole table's.
        unsafe {
            let entry = *(*root).simple_rte_array.add(at);
            let whole = whole_of(root, rel);
            let unpacked = PgList::<pg_sys::RangeTblFunction>::from_pg((*entry).functions)
                .iter_ptr()
                .map(|function| unnested((*function).funcexpr, whole).unwrap_or(0))
                .collect();
            Self {
                function: at,
                columns: unpacked,
            }
        }
    }

    /// Whether the expression is the column that unpacks this array.
    unsafe fn is(&self, expression: *mut Expr, array: i16) -> bool {
        // SAFETY: a node is what its tag says.
        unsafe {
            let Some(variable) = variable(expression) else {
                return false;
            };
            let number = usize::try_from((*variable).varattno).unwrap_or(0);
            (*variable).varno as usize == self.function
                && number.checked_sub(1).and_then(|at| self.columns.get(at)) == Some(&array)
        }
    }
}

/// The table that this one is a partition of, or itself, by its place in the range table.
unsafe fn whole_of(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo) -> u32 {
    // SAFETY: the array has an entry for each place in the range table.
    unsafe {
        let parts = (*root).append_rel_array;
        if parts.is_null() || (*parts.add((*rel).relid as usize)).is_null() {
            return (*rel).relid;
        }
        (*(*parts.add((*rel).relid as usize))).parent_relid
    }
}

/// The number of the column that `unnest(column)` unpacks, if it is one of this table.
unsafe fn unnested(call: *mut Node, table: u32) -> Option<i16> {
    // SAFETY: a node is what its tag says; a call of one argument has one.
    unsafe {
        if call.is_null() || (*call).type_ != NodeTag::T_FuncExpr {
            return None;
        }
        let call = call.cast::<pg_sys::FuncExpr>();
        if (*call).funcid != pg_sys::Oid::from(pg_sys::F_UNNEST_ANYARRAY) {
            return None;
        }
        let argument = variable(PgList::<Expr>::from_pg((*call).args).get_ptr(0)?)?;
        ((*argument).varno as u32 == table).then_some((*argument).varattno)
    }
}

/// The conditions of a relation with their security levels.
unsafe fn conditions(rel: *mut pg_sys::RelOptInfo) -> Vec<(*mut Expr, pg_sys::Index)> {
    // SAFETY: a list of the planner's conditions.
    unsafe {
        PgList::<pg_sys::RestrictInfo>::from_pg((*rel).baserestrictinfo)
            .iter_ptr()
            .map(|info| ((*info).clause, (*info).security_level))
            .collect()
    }
}

/// The sides of an equality of these operators, the one that is the same for all rows second. Under a collation for
/// which different texts may be equal, nothing follows from an equality.
unsafe fn equals(clause: *mut Expr, operators: &[u32]) -> Option<(*mut Expr, *mut Expr)> {
    // SAFETY: a node is what its tag says; an operator between two has two arguments.
    unsafe {
        if (*clause).type_ != NodeTag::T_OpExpr {
            return None;
        }
        let clause = clause.cast::<pg_sys::OpExpr>();
        if !operators.contains(&(*clause).opno.to_u32()) {
            return None;
        }
        if !tells_apart((*clause).inputcollid) {
            return None;
        }
        let sides = PgList::<Expr>::from_pg((*clause).args);
        let (left, right) = (sides.get_ptr(0)?, sides.get_ptr(1)?);
        if is_fixed(right) {
            return Some((left, right));
        }
        // The operators of two types are not turned round.
        (is_fixed(left) && (*clause).opno != pg_sys::Oid::from(INT8_EQUALS_INT4)).then_some((right, left))
    }
}

/// The sides of `x = ANY (list)` for these operators, where the list is the same for all rows.
unsafe fn any_of(clause: *mut Expr, operators: &[u32]) -> Option<(*mut Expr, *mut Expr)> {
    // SAFETY: as for `equals`.
    unsafe {
        if (*clause).type_ != NodeTag::T_ScalarArrayOpExpr {
            return None;
        }
        let clause = clause.cast::<pg_sys::ScalarArrayOpExpr>();
        let sides = PgList::<Expr>::from_pg((*clause).args);
        let (left, list) = (sides.get_ptr(0)?, sides.get_ptr(1)?);
        let is_one = (*clause).useOr
            && operators.contains(&(*clause).opno.to_u32())
            && tells_apart((*clause).inputcollid)
            && is_fixed(list);
        is_one.then_some((left, list))
    }
}

/// Whether texts that are equal under this collation are the same.
unsafe fn tells_apart(collation: pg_sys::Oid) -> bool {
    // SAFETY: a catalog look-up.
    collation == pg_sys::InvalidOid || unsafe { pg_sys::get_collation_isdeterministic(collation) }
}

/// Whether an expression is the same for all rows of a query.
unsafe fn is_fixed(expression: *mut Expr) -> bool {
    let node = expression.cast();
    // SAFETY: a node of the planner.
    unsafe {
        !pg_sys::contain_var_clause(node)
            && !pg_sys::contain_volatile_functions(node)
            && !pg_sys::contain_subplans(node)
    }
}

/// The two columns in `zerodb._event_id(xid, ord)`.
unsafe fn event_id_of(expression: *mut Expr) -> Option<[*mut pg_sys::Var; 2]> {
    // SAFETY: a node is what its tag says.
    unsafe {
        if (*expression).type_ != NodeTag::T_FuncExpr {
            return None;
        }
        let call = expression.cast::<pg_sys::FuncExpr>();
        let arguments = PgList::<Expr>::from_pg((*call).args);
        let (xid, ord) = (variable(arguments.get_ptr(0)?)?, variable(arguments.get_ptr(1)?)?);
        ((*call).funcid == function(c"_event_id", &[pg_sys::XID8OID, pg_sys::INT4OID])).then_some([xid, ord])
    }
}

unsafe fn variable(expression: *mut Expr) -> Option<*mut pg_sys::Var> {
    // SAFETY: a node is what its tag says.
    unsafe {
        ((*expression).type_ == NodeTag::T_Var && (*expression.cast::<pg_sys::Var>()).varlevelsup == 0)
            .then_some(expression.cast())
    }
}
