package edge

import (
	"context"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	codeDocumentLimit         = "DOCUMENT_LIMIT_EXCEEDED"
	codeComplexityLimit       = "COMPLEXITY_LIMIT_EXCEEDED" // set by gqlgen's extension
	codeIntrospectionDisabled = "INTROSPECTION_DISABLED"
)

// shape is what a selection amounts to once every fragment is expanded. Counts saturate rather than overflow.
type shape struct {
	fields, aliases, directives, depth int
	introspects                        bool
}

func (s *shape) add(t shape) {
	s.fields = saturatingAdd(s.fields, t.fields)
	s.aliases = saturatingAdd(s.aliases, t.aliases)
	s.directives = saturatingAdd(s.directives, t.directives)
	s.depth = max(s.depth, t.depth)
	s.introspects = s.introspects || t.introspects
}

func saturatingAdd(a, b int) int {
	if a > math.MaxInt32-b {
		return math.MaxInt32
	}
	return a + b
}

// measurer computes shapes. Each fragment is walked once, however often it is spread, so the work is linear in the text of a
// document, even of one that expands to 2^25 fields.
type measurer map[string]shape

func measureOperation(op *ast.OperationDefinition) shape {
	s := measurer{}.selections(op.SelectionSet)
	s.directives = saturatingAdd(s.directives, len(op.Directives))
	return s
}

func (m measurer) selections(set ast.SelectionSet) shape {
	var sum shape
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			sum.add(m.field(s))
		case *ast.InlineFragment:
			sum.add(m.selections(s.SelectionSet))
			sum.add(shape{directives: len(s.Directives)})
		case *ast.FragmentSpread:
			sum.add(m.fragment(s.Definition))
			sum.add(shape{directives: len(s.Directives)})
		}
	}
	return sum
}

// field counts a field by its true name: an alias or a fragment that is called __schema is one like any other. The depth under
// the real __schema and __type does not count: tools need 13 levels there, and the validator bounds its nesting.
func (m measurer) field(f *ast.Field) shape {
	s := m.selections(f.SelectionSet)
	s.depth++
	if f.Name == "__schema" || f.Name == "__type" {
		s.depth, s.introspects = 1, true
	}
	own := shape{fields: 1, directives: len(f.Directives)}
	if f.Alias != f.Name {
		own.aliases = 1
	}
	s.add(own)
	return s
}

func (m measurer) fragment(f *ast.FragmentDefinition) shape {
	if s, ok := m[f.Name]; ok {
		return s
	}
	m[f.Name] = shape{} // the validator refuses cycles; should one get here, it ends
	s := m.selections(f.SelectionSet)
	s.directives = saturatingAdd(s.directives, len(f.Directives))
	m[f.Name] = s
	return s
}

// check returns the first limit that s exceeds, or nil.
func (l Limits) check(s shape) *gqlerror.Error {
	for _, c := range []struct {
		what       string
		has, limit int
	}{
		{"levels of fields", s.depth, l.Depth},
		{"fields", s.fields, l.Fields},
		{"aliases", s.aliases, l.Aliases},
		{"directives", s.directives, l.Directives},
	} {
		if c.has > c.limit {
			err := gqlerror.Errorf("the document has more than %d %s, fragments expanded: split it into several requests",
				c.limit, c.what)
			errcode.Set(err, codeDocumentLimit)
			return err
		}
	}
	return nil
}

// documentLimits refuses a document by its shape, before its cost is computed and before anything is resolved.
type documentLimits struct {
	limits        Limits
	introspection func(context.Context) bool
}

// ExtensionName names the extension for gqlgen.
func (documentLimits) ExtensionName() string { return "DocumentLimits" }

// Validate has nothing to check in a schema.
func (documentLimits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses the operation, or opens introspection to it.
func (d documentLimits) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	s := measureOperation(op.Operation)
	if err := d.limits.check(s); err != nil {
		return err
	}
	if !s.introspects {
		return nil
	}
	if !d.introspection(ctx) {
		err := gqlerror.Errorf("introspection is not open to you: see the published schema")
		errcode.Set(err, codeIntrospectionDisabled)
		return err
	}
	op.DisableIntrospection = false
	return nil
}

// Bounds of the document cache: 1000 documents of at most 8 KiB each.
const (
	cachedDocuments   = 1000
	maxCachedDocument = 8 << 10
)

// documentCache keeps parsed documents that are worth keeping. A hostile one that is valid but over the limits, or padded to
// the size of the body limit, would otherwise push out the real ones and hold memory.
type documentCache struct {
	*lru.LRU[*ast.QueryDocument]
	limits Limits
}

func newDocumentCache(l Limits) documentCache {
	return documentCache{LRU: lru.New[*ast.QueryDocument](cachedDocuments), limits: l}
}

// Add keeps doc if it is small and each of its operations is within the limits.
func (c documentCache) Add(ctx context.Context, query string, doc *ast.QueryDocument) {
	if len(query) > maxCachedDocument {
		return
	}
	for _, op := range doc.Operations {
		if c.limits.check(measureOperation(op)) != nil {
			return
		}
	}
	c.LRU.Add(ctx, query, doc)
}
