// Package groundwork is the domain of the "four grassroots" practice in one page.
//
// Leading officials go down to sites (factories, villages, communities, schools) on visits; people voice opinions there or
// online. Opinions on the same matter make one issue. An issue is registered, dispatched to a unit, worked on, claimed to be
// done, and closed. Claimed, closed and confirmed are three different facts: only the citizen's own word, never collected by
// the handler, confirms that a problem is resolved. Everything that happens to an issue is an event, append-only; where the
// issue stands is derived from its events.
//
// The system of record is Postgres (package postgres implements Store). Package etl replicates it to ClickHouse, package
// warehouse answers measures from there, and package graph serves both as GraphQL. This package imports none of them.
package groundwork
