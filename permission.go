package groundwork

import (
	"maps"
	"slices"
)

// Scope is how far a permission reaches.
type Scope string

// The scopes, from the widest.
const (
	Anywhere Scope = "ANYWHERE"
	InRegion Scope = "REGION" // what lies in the region subtrees that the role is bound to
	OfUnit   Scope = "UNIT"   // what the actor's unit leads, takes part in or belongs to
	Own      Scope = "OWN"    // what the actor submitted, leads or is the subject of
	Public   Scope = "PUBLIC" // what everybody may see: published figures, public references, reference data
)

// Operation is a root field of the API and who may ask for it. The API holds that a role may ask at all; how far it reaches with a
// single thing is decided by the guards of the lives.
type Operation struct {
	Name   string // of the root field, such as dispatchIssue
	Grants map[Role]Scope
}

// grants gives the roles the same scope.
func grants(s Scope, roles ...Role) map[Role]Scope {
	g := make(map[Role]Scope, len(roles))
	for _, r := range roles {
		g[r] = s
	}
	return g
}

// and joins grants; the later win.
func and(all ...map[Role]Scope) map[Role]Scope {
	g := map[Role]Scope{}
	for _, more := range all {
		maps.Copy(g, more)
	}
	return g
}

// Operations lists all operations. Each noun has its own list in its own file; what is not listed is refused to everybody.
var Operations = slices.Concat(baseOperations, campaignOperations, policyOperations, rotaOperations, skillOperations, surveyOperations, discussionOperations,
	assessmentOperations, vaultOperations)

// Allowed returns how far the role reaches with an operation; ok is false if it may not ask for it at all.
func Allowed(operation string, role Role) (s Scope, ok bool) {
	s, ok = allowed[operation][role]
	return s, ok
}

var allowed = func() map[string]map[Role]Scope {
	index := make(map[string]map[Role]Scope, len(Operations))
	for _, o := range Operations {
		index[o.Name] = o.Grants
	}
	return index
}()
