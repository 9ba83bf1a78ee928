package graph_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden answers")

// TestGolden asks each testdata/*.graphql of one small office and compares the whole answer with the .json beside it. The first line
// of a query names the role: "# as INTAKE".
func TestGolden(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	official := f.create("createOfficial", "official", `pseudonym: "official-1"`)
	post := f.create("createPostHolding", "postHolding", `officialId: "`+official+`", orgUnitId: "`+f.bureau+
		`", rank: COUNTY, title: "Head", heldFrom: "2025-01-01"`)
	visit := f.as("INTAKE").create("recordVisit", "visit", `activityKind: RECEPTION, notice: UNANNOUNCED, siteId: "`+f.site+`", leadId: "`+post+
		`", startedAt: "2026-03-01T01:00:00Z", endedAt: "2026-03-01T02:00:00Z", citizensMet: 12, state: HELD`)
	issue := f.issue("A hole in the road")
	dispatch(f, issue)
	claim(f, issue)
	f.done("IN_PROGRESS", "CITIZEN", "recordFeedback", issue, `resolved: NO, satisfaction: 2, comment: "Still there"`)

	goldens(t, f, "testdata/*.graphql", map[string]any{"city": f.city, "issue": issue, "visit": visit, "official": official})
}

// goldens asks an office each query of some files, with those of the variables that it mentions.
func goldens(t *testing.T, f *office, pattern string, all map[string]any) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".graphql"), func(t *testing.T) {
			query, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(query), "\n")
			role, ok := strings.CutPrefix(first, "# as ")
			require.True(t, ok, "the first line names the role")
			variables := map[string]any{}
			for name, value := range all {
				if strings.Contains(string(query), "$"+name) {
					variables[name] = value
				}
			}
			got := normalised(t, f.as(role).ask(string(query), variables).body)
			golden := strings.TrimSuffix(file, ".graphql") + ".json"
			if *update {
				require.NoError(t, os.WriteFile(golden, got, 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "run with -update to make it")
			require.Equal(t, string(want), string(got))
		})
	}
}

var (
	opaque    = regexp.MustCompile(`"[A-Za-z0-9_-]{20,}"`)
	uuids     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	requestID = regexp.MustCompile(`"requestId":"[^"]*"`)
	ourTimes  = regexp.MustCompile(`"(createdAt|recordedAt|updatedAt)":"[^"]*"`)
	publicRef = regexp.MustCompile(`"publicRef":"[^"]*"`)
)

// ordered sorts the errors: fields are resolved side by side, and the specification gives their errors no order.
func ordered(t *testing.T, body []byte) []byte {
	t.Helper()
	var answer struct {
		Errors []json.RawMessage `json:"errors,omitempty"`
		Data   json.RawMessage   `json:"data,omitempty"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	slices.SortFunc(answer.Errors, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(answer))
	return out.Bytes()
}

// normalised replaces what differs from run to run by names in the order of appearance, and indents.
func normalised(t *testing.T, body []byte) []byte {
	t.Helper()
	body = ordered(t, body)
	names := map[string]string{}
	number := map[string]int{}
	body = opaque.ReplaceAllFunc(body, func(text []byte) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Trim(string(text), `"`))
		if err != nil {
			return text
		}
		kind, id, ok := strings.Cut(string(raw), ":")
		switch {
		case strings.HasPrefix(string(raw), "{"):
			return []byte(`"<cursor>"`)
		case !ok || !uuids.MatchString(id):
			return text
		case names[string(text)] == "":
			number[kind]++
			names[string(text)] = fmt.Sprintf("%q", fmt.Sprintf("<%s %d>", kind, number[kind]))
		}
		return []byte(names[string(text)])
	})
	body = uuids.ReplaceAll(body, []byte("<uuid>"))
	body = requestID.ReplaceAll(body, []byte(`"requestId":"<request>"`))
	body = ourTimes.ReplaceAll(body, []byte(`"$1":"<time>"`))
	body = publicRef.ReplaceAll(body, []byte(`"publicRef":"<ref>"`))
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, bytes.TrimSpace(body), "", "  "))
	return append(indented.Bytes(), '\n')
}
