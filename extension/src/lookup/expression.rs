//! Expressions as the planner has them: their parts, and how new ones are made. Must not know which of them are wanted.

use std::ffi::CStr;

use pgrx::PgList;
use pgrx::pg_sys::{self, Datum, Expr, Node, NodeTag};
use zerodb_hooks_contract::event_log::COMPLETION_SPAN;

// Operators, by their oids in every version of Postgres (pg_operator.dat).
pub const TEXT_EQUALS: u32 = 98;
pub const INT4_EQUALS: u32 = 96;
pub const INT8_EQUALS: u32 = 410;
pub const INT8_EQUALS_INT4: u32 = 416;
pub const INT8_AT_MOST: u32 = 414;
pub const INT8_AT_LEAST: u32 = 415;
pub const INT8_ABOVE: u32 = 413;
pub const INT8_MINUS: u32 = 685;
pub const XID8_EQUALS: u32 = 5068;
pub const XID8_BELOW: u32 = 5073;
pub const XID8_AT_MOST: u32 = 5075;
pub const XID8_AT_LEAST: u32 = 5076;

/// A function of the schema; InvalidOid when there is none.
pub unsafe fn function(name: &CStr, types: &[pg_sys::Oid]) -> pg_sys::Oid {
    let mut names = PgList::<Node>::new();
    // SAFETY: the strings live as long as the program; the lists in the planner's memory.
    unsafe {
        names.push(pg_sys::makeString(c"zerodb".as_ptr().cast_mut()).cast());
        names.push(pg_sys::makeString(name.as_ptr().cast_mut()).cast());
        pg_sys::LookupFuncName(names.into_pg(), types.len() as i32, types.as_ptr(), true)
    }
}

/// `zerodb.<function>(id)`, or of a list of ids; of a constant, its value, which is the same as long as the database
/// is: so the planner knows how few rows it leaves, and it is not worked out for each of them.
pub unsafe fn part_of(
    root: *mut pg_sys::PlannerInfo,
    id: *mut Expr,
    name: &CStr,
    of: pg_sys::Oid,
    kind: pg_sys::Oid,
) -> *mut Expr {
    // SAFETY: the id is of this type.
    unsafe {
        let part = call(function(name, &[of]), kind, id);
        match (*id).type_ {
            NodeTag::T_Const => pg_sys::estimate_expression_value(root, part.cast()).cast(),
            _ => part,
        }
    }
}

/// The value as a bigint.
pub unsafe fn widened(root: *mut pg_sys::PlannerInfo, value: *mut Expr) -> *mut Expr {
    // SAFETY: an expression has a type.
    unsafe {
        match pg_sys::exprType(value.cast()) {
            pg_sys::INT4OID => {
                let wide = call(pg_sys::Oid::from(pg_sys::F_INT8_INT4), pg_sys::INT8OID, value);
                pg_sys::eval_const_expressions(root, wide.cast()).cast()
            }
            _ => value,
        }
    }
}

/// The value less the span of a completion.
pub unsafe fn before(root: *mut pg_sys::PlannerInfo, value: *mut Expr) -> *mut Expr {
    // SAFETY: both are bigint.
    unsafe {
        let span = constant(pg_sys::INT8OID, COMPLETION_SPAN);
        let less = operation(
            INT8_MINUS,
            pg_sys::INT8OID,
            pg_sys::copyObjectImpl(value.cast()).cast(),
            span,
        );
        pg_sys::eval_const_expressions(root, less.cast()).cast()
    }
}

/// A constant of a type of eight bytes, which is passed by value as on every machine of 64 bits.
pub unsafe fn constant(kind: pg_sys::Oid, value: u64) -> *mut Expr {
    // SAFETY: the type has this length.
    unsafe {
        let length = size_of::<u64>() as i32;
        let none = pg_sys::InvalidOid;
        pg_sys::makeConst(kind, -1, none, length, Datum::from(value), false, true).cast()
    }
}

/// `zerodb._xid_end(xid)`.
pub unsafe fn transaction_end(root: *mut pg_sys::PlannerInfo, xid: *mut Expr) -> *mut Expr {
    // SAFETY: the expression is an xid8; the function is immutable.
    unsafe {
        let end = call(function(c"_xid_end", &[pg_sys::XID8OID]), pg_sys::XID8OID, xid);
        pg_sys::eval_const_expressions(root, end.cast()).cast()
    }
}

unsafe fn call(function: pg_sys::Oid, kind: pg_sys::Oid, argument: *mut Expr) -> *mut Expr {
    // SAFETY: the argument is copied, so that no node has two places.
    unsafe {
        let mut arguments = PgList::<Expr>::new();
        arguments.push(pg_sys::copyObjectImpl(argument.cast()).cast());
        pg_sys::makeFuncExpr(
            function,
            kind,
            arguments.into_pg(),
            pg_sys::InvalidOid,
            pg_sys::DEFAULT_COLLATION_OID,
            pg_sys::CoercionForm::COERCE_EXPLICIT_CALL,
        )
        .cast()
    }
}

/// `column <operator> value` of a table.
pub unsafe fn bound(
    rel: *mut pg_sys::RelOptInfo,
    operator: u32,
    column: i16,
    kind: pg_sys::Oid,
    value: *mut Expr,
) -> *mut Expr {
    // SAFETY: the table has this column of this type.
    unsafe {
        let variable = pg_sys::makeVar((*rel).relid as i32, column, kind, -1, pg_sys::InvalidOid, 0);
        compare(
            operator,
            variable.cast(),
            pg_sys::copyObjectImpl(value.cast()).cast(),
        )
    }
}

pub unsafe fn compare(operator: u32, left: *mut Expr, right: *mut Expr) -> *mut Expr {
    // SAFETY: handed on from the caller.
    unsafe { operation(operator, pg_sys::BOOLOID, left, right) }
}

unsafe fn operation(operator: u32, kind: pg_sys::Oid, left: *mut Expr, right: *mut Expr) -> *mut Expr {
    // SAFETY: both sides have the operator's types.
    unsafe {
        let none = pg_sys::InvalidOid;
        let clause = pg_sys::make_opclause(operator.into(), kind, false, left, right, none, none);
        pg_sys::set_opfuncid(clause.cast());
        clause
    }
}
