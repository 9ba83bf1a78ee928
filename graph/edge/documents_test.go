package edge_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/graph/edge"
	"groundwork/graph/edge/internal/testschema"
)

const greeting = `query Greet($n: String!) { hello(name: $n) }`

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestRow34TrustedDocuments(t *testing.T) {
	t.Parallel()
	trusted := edge.Documents{ByID: map[string]string{hashOf(greeting): greeting, "touch": "mutation { touch }"}}
	open := setup(t, func(o *edge.Options) { o.Documents = trusted })
	trusted.Only = true
	only := setup(t, func(o *edge.Options) { o.Documents = trusted })
	none := setup(t)
	id := `"documentId":"` + hashOf(greeting) + `","variables":{"n":"Li"}`
	for name, c := range map[string]struct {
		at     *bundle
		body   string
		status int
		says   string
	}{
		"by its id":                     {open, `{` + id + `}`, 200, `{"data":{"hello":"hello Li"}}`},
		"any other":                     {open, `{"query":"{hello(name:\"Wu\")}"}`, 200, `{"data":{"hello":"hello Wu"}}`},
		"unknown":                       {open, `{"documentId":"sha256:00"}`, 400, "DOCUMENT_NOT_FOUND"},
		"both":                          {open, `{"query":"{hello}",` + id + `}`, 400, "BAD_REQUEST"},
		"neither":                       {open, `{"documentId":""}`, 400, "BAD_REQUEST"},
		"an id of another type":         {open, `{"documentId":7}`, 400, "BAD_REQUEST"},
		"enforced, by its id":           {only, `{` + id + `}`, 200, `{"data":{"hello":"hello Li"}}`},
		"enforced, unknown":             {only, `{"documentId":"sha256:00"}`, 400, "DOCUMENT_NOT_FOUND"},
		"enforced, any other":           {only, `{"query":"{hello(name:\"Wu\")}"}`, 403, "TRUSTED_DOCUMENTS_ONLY"},
		"enforced, text of a known one": {only, `{"query":"mutation { touch }"}`, 403, "TRUSTED_DOCUMENTS_ONLY"},
		"enforced, neither":             {only, `{}`, 403, "TRUSTED_DOCUMENTS_ONLY"},
		"none are trusted":              {none, `{` + id + `}`, 400, "DOCUMENT_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.at.send(t, http.MethodPost, c.at.url, c.body, "Content-Type", "application/json")
			require.Equal(t, c.status, r.status, r.text)
			if c.status == http.StatusOK {
				require.JSONEq(t, c.says, r.text)
			} else {
				require.Equal(t, []string{c.says}, r.codes())
			}
		})
	}
	get := func(id string) reply {
		return only.send(t, http.MethodGet, only.url+"?"+url.Values{"documentId": {id}, "variables": {`{"n":"Li"}`}}.Encode(), "")
	}
	require.JSONEq(t, `{"data":{"hello":"hello Li"}}`, get(hashOf(greeting)).text)
	require.Equal(t, http.StatusMethodNotAllowed, get("touch").status, "a document that writes is not sent by GET, trusted or not")
}

func TestManifestOfTrustedDocuments(t *testing.T) {
	t.Parallel()
	schema := testschema.NewExecutableSchema(testschema.Config{}).Schema()
	read := func(manifest string) (map[string]string, error) {
		return edge.ReadDocuments(strings.NewReader(manifest), schema)
	}
	written, err := json.Marshal(map[string]string{hashOf(greeting): greeting, "b7": "{ hello(name: \"x\") }"})
	require.NoError(t, err)
	documents, err := read(string(written))
	require.NoError(t, err)
	require.Equal(t, greeting, documents[hashOf(greeting)])
	require.Len(t, documents, 2)
	for manifest, says := range map[string][]string{
		`[]`:                            {"a JSON object of ids and documents"},
		`{"a": 1}`:                      {"a JSON object of ids and documents"},
		`{}`:                            {"holds no document"},
		`{"": "{ hello(name: \"\") }"}`: {"an id is not empty"},
		`{"sha256:ab": "{ hello(name: \"\") }", "b": "{ gone }", "c": "{"}`: {`document "sha256:ab": its text has the hash sha256:`, `document "b" is not for this schema`, "gone", `document "c" is not for this schema`},
	} {
		_, err := read(manifest)
		for _, words := range says {
			require.ErrorContains(t, err, words, manifest)
		}
	}
}
