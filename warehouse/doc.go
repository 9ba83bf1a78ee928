// Package warehouse is the ClickHouse side: the tables that replication writes, the pub_* views that analysts read, and the
// measures asked of them. It knows nothing of Postgres nor of GraphQL.
package warehouse
