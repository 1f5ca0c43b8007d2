//! `column IN (…)` in a few fixed lengths, so that a connection prepares each statement once per length instead of once
//! per use. A list between two lengths repeats its last value.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType};

/// The lengths: each value costs the database a few tenths of a microsecond, repeated or not, and each length a statement
/// that it keeps. A batch has at most 512 commands; a longer list is sent as it is.
const LENGTHS: [usize; 14] = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// Whether a column is one of some values.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneOf<C, V> {
    column: C,
    values: V,
    keep_prepared: bool,
}

/// `column` is one of `values`, of which there must be some. `keep_prepared`: whether the statement has no other part
/// whose shape varies.
pub(super) fn one_of<C, T>(column: C, values: Vec<T>, keep_prepared: bool) -> OneOf<C, Vec<T>> {
    OneOf {
        column,
        values,
        keep_prepared,
    }
}

impl<C: Expression, V> Expression for OneOf<C, V> {
    type SqlType = Bool;
}

impl<C, V, G> ValidGrouping<G> for OneOf<C, V> {
    type IsAggregate = is_aggregate::Never;
}

impl<C: AppearsOnTable<S>, V, S: ?Sized> AppearsOnTable<S> for OneOf<C, V> {}

impl<C: SelectableExpression<S>, V, S: ?Sized> SelectableExpression<S> for OneOf<C, V> {}

impl<C, V> QueryId for OneOf<C, V> {
    type QueryId = ();
    /// Kept under its text, which tells the lengths apart.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, T> QueryFragment<Mysql> for OneOf<C, Vec<T>>
where
    C: Expression + QueryFragment<Mysql>,
    T: ToSql<C::SqlType, Mysql>,
    Mysql: HasSqlType<C::SqlType>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        let count = self.values.len();
        let length = LENGTHS.into_iter().find(|length| *length >= count);
        if length.is_none() || !self.keep_prepared {
            out.unsafe_to_cache_prepared();
        }
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        let repeated = self.values.last().into_iter().cycle();
        let padding = repeated.take(length.unwrap_or(count) - count);
        for (place, value) in self.values.iter().chain(padding).enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param(value)?;
        }
        out.push_sql(")");
        Ok(())
    }
}
