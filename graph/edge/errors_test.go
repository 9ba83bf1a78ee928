package edge_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/graph/edge"
)

const failDocument = "query Failing { fail }"

// Row 14: each kind of error, and what a client sees of it.
func TestRow14ErrorKinds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err           error
		code, message string
		logged        int
	}{
		"known":               {knownError{"CONFLICT", "somebody else was first"}, "CONFLICT", "somebody else was first", 0},
		"known, wrapped":      {fmt.Errorf("dial secret.host: %w", knownError{"NOT_FOUND", "no such issue"}), "NOT_FOUND", "no such issue", 0},
		"unknown":             {errors.New("pq: password of secret@db.host"), "INTERNAL", "internal error", 1},
		"deadline of a store": {fmt.Errorf("secret query: %w", context.DeadlineExceeded), "TIMEOUT", "the request took too long and was stopped: ask for less, or try again later", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.err = c.err
			r := b.query(t, failDocument, nil)
			require.Equal(t, http.StatusOK, r.status, "an executed operation is a 200")
			require.Contains(t, r.text, `"data":{"fail":null}`)
			require.Equal(t, []string{c.code}, r.codes())
			require.Equal(t, c.message, r.body.Errors[0].Message)
			require.Equal(t, []any{"fail"}, r.body.Errors[0].Path)
			require.NotContains(t, r.text, "secret")
			if c.code == "CONFLICT" {
				require.Equal(t, "pages", r.body.Errors[0].Extensions["field"])
			}

			lines := b.journal.lines("graphql error")
			require.Len(t, lines, c.logged)
			if c.logged > 0 {
				require.Equal(t, r.header.Get("X-Request-Id"), lines[0]["request_id"])
				require.Equal(t, "Failing", lines[0]["operation_name"])
				require.Equal(t, "fail", lines[0]["path"])
				require.Contains(t, lines[0]["error"], "secret@db.host")
			}
		})
	}
}

func TestRow14Panic(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.query(t, "{ panic hello }", nil)
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, []string{"INTERNAL"}, r.codes())
	require.Equal(t, "hello world", r.body.Data["hello"], "the other field is answered")
	require.NotContains(t, r.text, "secret")
	require.NotContains(t, r.text, "goroutine")

	lines := b.journal.lines("graphql panic")
	require.Len(t, lines, 1)
	require.Equal(t, "secret panic", lines[0]["panic"])
	require.Contains(t, lines[0]["stack"], "setup_test.go")
	require.Empty(t, b.journal.lines("graphql error"), "it is logged once")
}

func TestPanicOutsideTheResolvers(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *edge.Options) {
		o.Introspection = func(context.Context) bool { panic("secret rule") }
	})
	r := b.query(t, "{ __schema { description } }", nil)
	require.Equal(t, http.StatusInternalServerError, r.status)
	require.Equal(t, []string{"INTERNAL"}, r.codes())
	require.NotContains(t, r.text, "secret")
	require.Len(t, b.journal.lines("graphql panic"), 1)
}

func TestBrokenPromiseOfAValue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.query(t, "{ broken { fail } }", nil)
	require.Equal(t, http.StatusOK, r.status)
	require.Contains(t, r.text, `"data":null`, "executed, so data is there")
	require.Equal(t, []string{"INTERNAL"}, r.codes())
}

// Row 8 again, for errors of resolvers: neither the reply nor the log grows with a list.
func TestManyFailingElements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.err = errors.New("disk on fire")
	r := b.query(t, "{ failures(n: 200) { fail } }", nil)
	require.Len(t, r.body.Errors, 5)
	require.EqualValues(t, 195, r.body.Extensions["omittedErrors"])
	require.Len(t, r.body.Data["failures"], 200)
	require.Len(t, b.journal.lines("graphql error"), 5)
}

// Row 31 and its kin: what the caller got wrong is BAD_USER_INPUT with the name of the place, never INTERNAL.
func TestBadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		document  string
		variables map[string]any
		field     any
		message   string
	}{
		"missing variable":       {"query ($n: Even!) { even(n: $n) }", nil, "n", "variable $n: must be defined"},
		"null variable":          {"query ($n: Even!) { even(n: $n) }", map[string]any{"n": nil}, "n", "variable $n: cannot be null"},
		"unknown enum variable":  {"query ($c: Colour!) { paint(colour: $c) }", map[string]any{"c": "BLUE"}, "c", "variable $c: BLUE is not a valid Colour"},
		"unknown enum literal":   {"{ paint(colour: BLUE) }", nil, nil, "Colour"},
		"wrong type of literal":  {`{ failures(n: "many") { fail } }`, nil, nil, "Int"},
		"unknown input field":    {"query ($i: ShapeInput!) { shape(input: $i) }", map[string]any{"i": map[string]any{"sides": 3, "x": 1}}, "i.x", "unknown field"},
		"missing input field":    {"query ($i: ShapeInput!) { shape(input: $i) }", map[string]any{"i": map[string]any{}}, "i.sides", "must be defined"},
		"scalar literal":         {"{ even(n: 3) }", nil, "n", "argument n: 3 is odd"},
		"scalar variable":        {"query ($n: Even!) { even(n: $n) }", map[string]any{"n": 5}, "n", "argument n: 5 is odd"},
		"number beyond 32 bits":  {"query ($n: Int!) { failures(n: $n) { fail } }", map[string]any{"n": 1 << 40}, "n", "argument n:"},
		"input's number, nested": {"query ($i: ShapeInput!) { shape(input: $i) }", map[string]any{"i": map[string]any{"sides": 1 << 40}}, "input.sides", "argument input.sides:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := b.query(t, c.document, c.variables)
			require.Equal(t, []string{"BAD_USER_INPUT"}, r.codes(), r.text)
			require.Contains(t, r.body.Errors[0].Message, c.message)
			require.Equal(t, c.field, r.body.Errors[0].Extensions["field"])
			require.LessOrEqual(t, len(r.body.Errors[0].Path), 1, "the path is the field's")
		})
	}
}

func TestCodesOfDocuments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for document, code := range map[string]string{
		"{":                            "GRAPHQL_PARSE_FAILED",
		"{ nothing }":                  "GRAPHQL_VALIDATION_FAILED",
		"# nothing":                    "GRAPHQL_VALIDATION_FAILED",
		"query A{hello} query B{fail}": "GRAPHQL_VALIDATION_FAILED", // neither is chosen
	} {
		r := b.query(t, document, nil)
		require.Equal(t, http.StatusBadRequest, r.status, document)
		require.Equal(t, []string{code}, r.codes(), document)
		require.NotContains(t, r.text, `"data"`)
	}
}

// Row 26: the request ends at its deadline, and so does the work behind it.
func TestRow26Timeout(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *edge.Options) { o.Timeout = 50 * time.Millisecond })
	r := b.query(t, "{ wait hello }", nil)
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, []string{"TIMEOUT"}, r.codes())
	require.Equal(t, "hello world", r.body.Data["hello"])
	require.ErrorIs(t, <-b.ended, context.DeadlineExceeded)
	require.Empty(t, b.journal.lines("graphql error"))
}

func TestTimeoutBeforeTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *edge.Options) { o.Timeout = time.Nanosecond })
	r := b.query(t, "{ hello }", nil)
	require.Equal(t, http.StatusServiceUnavailable, r.status)
	require.Equal(t, []string{"TIMEOUT"}, r.codes())
}

// Row 26: a client that goes away takes its work with it, and that is no error of ours.
func TestRow26ClientGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, strings.NewReader(`{"query":"{wait}"}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	go func() {
		<-b.waiting
		cancel()
	}()
	_, err = http.DefaultClient.Do(req) //nolint:bodyclose // a cancelled request has no response
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, <-b.ended, context.Canceled)
	require.Eventually(t, func() bool { return len(b.journal.lines("graphql request")) == 1 }, 10*time.Second, 5*time.Millisecond)
	require.Empty(t, b.journal.lines("graphql error"))
}

// Row 13: nothing but what we put there is in the extensions.
func TestRow13NoTracing(t *testing.T) {
	t.Parallel()
	require.NotContains(t, setup(t).query(t, "{ hello }", nil).text, "extensions")
}

// Row 37: a line tells which operation ran, at what cost and how it ended, and nothing that people wrote.
func TestRow37LogHygiene(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret = "王 13800138000 tok-51ab"
	b.query(t, "query Greet($n: String!) { hello(name: $n) }", map[string]any{"n": secret}, "Authorization", "Bearer "+secret)
	b.query(t, `query Literal { hello(name: "`+secret+`") }`, nil)
	b.query(t, `{ nothing(name: "`+secret+`") `, nil)
	b.query(t, "query Bad($c: Colour!) { paint(colour: $c) }", map[string]any{"c": secret})
	b.send(t, http.MethodPost, b.url, `{"operationName":"`+secret+`","query":"{hello}"}`, "Content-Type", oldForm)

	require.Eventually(t, func() bool { return len(b.journal.lines("graphql request")) == 5 }, 10*time.Second, 5*time.Millisecond)
	lines := b.journal.lines("graphql request")
	require.NotContains(t, b.journal.String(), "tok-51ab")
	require.NotContains(t, b.journal.String(), "13800138000")

	greet := lines[0]
	require.Equal(t, "Greet", greet["operation_name"])
	require.EqualValues(t, 200, greet["status"])
	require.EqualValues(t, 1, greet["cost"])
	require.Len(t, greet["document_hash"], 16)
	require.Positive(t, greet["ms"])
	require.NotContains(t, greet, "codes")
	require.Equal(t, []any{"GRAPHQL_PARSE_FAILED"}, lines[2]["codes"])
	require.Equal(t, []any{"BAD_USER_INPUT"}, lines[3]["codes"])
	require.NotEqual(t, greet["document_hash"], lines[1]["document_hash"])
}
