package postgres

// MakeRole is for tests in which the roles are missing.
var MakeRole = makeRole
