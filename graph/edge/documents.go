package edge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Documents are trusted documents: those that a front end was built with. A client sends their id as documentId in place of the query,
// as the appendix "Persisted Documents" of GraphQL over HTTP says. Callers cannot add any.
type Documents struct {
	ByID map[string]string // the text of each by its documentId
	Only bool              // answer no other document
}

const (
	codeUnknownDocument = "DOCUMENT_NOT_FOUND"
	codeTrustedOnly     = "TRUSTED_DOCUMENTS_ONLY"

	hashedID = "sha256:" // begins an id that is the hash of its document
)

// resolve puts the trusted document of an id in the place of the query, or says why there is nothing to answer.
func (d Documents) resolve(p *graphql.RawParams, id string) (*graphql.RawParams, *refusal) {
	switch {
	case id != "" && p.Query != "":
		return nil, badRequest("query and documentId are both there: send one of them")
	case id != "":
		text, ok := d.ByID[id]
		if !ok {
			return nil, &refusal{status: http.StatusBadRequest, code: codeUnknownDocument,
				message: "documentId is not among the trusted documents: serve the manifest that the client was built with"}
		}
		p.Query = text
	case d.Only:
		return nil, &refusal{status: http.StatusForbidden, code: codeTrustedOnly,
			message: "trusted documents alone are answered: send the documentId of one, without a query"}
	case p.Query == "":
		return nil, badRequest("query is missing: send the document as a string")
	}
	return p, nil
}

// ReadDocuments reads a manifest of trusted documents, a JSON object of ids and texts such as the client generators write. It reports every
// document that the schema does not answer, and every id of the form sha256:… that is not the hash of its text.
func ReadDocuments(manifest io.Reader, schema *ast.Schema) (map[string]string, error) {
	var documents map[string]string
	if err := json.NewDecoder(manifest).Decode(&documents); err != nil {
		return nil, fmt.Errorf("a manifest of trusted documents is a JSON object of ids and documents: %w", err)
	}
	if len(documents) == 0 {
		return nil, errors.New("the manifest holds no document")
	}
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(documents)) {
		text := documents[id]
		if hash, ok := strings.CutPrefix(id, hashedID); ok {
			if sum := sha256.Sum256([]byte(text)); hash != hex.EncodeToString(sum[:]) {
				faults = append(faults, fmt.Errorf("document %q: its text has the hash %s%x; write the manifest again", id, hashedID, sum))
			}
		}
		if id == "" {
			faults = append(faults, errors.New(`document "": an id is not empty`))
		}
		if _, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules()); len(errs) > 0 {
			faults = append(faults, fmt.Errorf("document %q is not for this schema: %w", id, errs))
		}
	}
	return documents, errors.Join(faults...)
}
