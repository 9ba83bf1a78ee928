package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const anonymousOpinion = `mutation($text: String!, $id: String) { submitOpinion(input: {channel: ONLINE, kind: COMPLAINT, text: $text, clientMutationId: $id}) {
	opinion { id } secret userErrors { message } } }`

// Whoever gives an opinion without an account follows it, and speaks for it, by its secret; nobody else can.
func TestAnonymousSecret(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	nobody := caller{f: f, headers: map[string]string{}}
	said := nobody.get(anonymousOpinion, map[string]any{"text": "A hole in the road"})
	other := nobody.get(anonymousOpinion, map[string]any{"text": "Another hole"})
	secret, others := said.text(t, "submitOpinion", "secret"), other.text(t, "submitOpinion", "secret")
	require.Len(t, secret, 26)
	require.NotEqual(t, secret, others)
	opinion := said.text(t, "submitOpinion", "opinion", "id")
	issue := f.as("INTAKE").get(`mutation($o: ID!, $c: ID!) { registerIssue(input: {opinionIds: [$o], categoryId: $c}) { issue { id } userErrors { message } } }`,
		map[string]any{"o": opinion, "c": f.category}).text(t, "registerIssue", "issue", "id")

	follow := func(secret string) any {
		return nobody.get(`query($s: String!) { followOpinion(secret: $s) { id text } }`, map[string]any{"s": secret}).at(t, "followOpinion")
	}
	require.Equal(t, opinion, follow(secret).(map[string]any)["id"])
	spoken := strings.ToLower(secret[:5] + " " + secret[5:10] + "-" + secret[10:])
	require.Equal(t, opinion, follow(spoken).(map[string]any)["id"], "as a person copies it")
	for _, wrong := range []string{"", "x", secret[:25], secret[:25] + "?"} {
		require.Nil(t, follow(wrong), "%q", wrong)
	}

	withdraw := func(input string) string {
		f.clock.advance(time.Minute)
		r := nobody.get(`mutation { s: withdrawIssue(input: {issueId: "`+issue+`", reason: "Filled", pressured: NO`+input+`})`+stepReply, nil)
		if errs := r.at(t, "s", "userErrors").([]any); len(errs) > 0 {
			return errs[0].(map[string]any)["code"].(string)
		}
		return r.text(t, "s", "issue", "state")
	}
	require.Equal(t, "FORBIDDEN", withdraw(``), "another anonymous could be anybody")
	require.Equal(t, "FORBIDDEN", withdraw(`, secret: "`+others+`"`), "the secret of another opinion")
	require.Equal(t, "FORBIDDEN", withdraw(`, secret: "guess"`))
	require.Equal(t, "CLOSED", withdraw(`, secret: "`+spoken+`"`))

	const id = "0b0e7a53-7d5c-4c53-9f0e-3f3a52a1c001"
	once := nobody.get(anonymousOpinion, map[string]any{"text": "Once", "id": id})
	again := nobody.get(anonymousOpinion, map[string]any{"text": "Once", "id": id})
	require.Equal(t, once.at(t, "submitOpinion"), again.at(t, "submitOpinion"), "the answer was lost: the same opinion, the same secret")
	require.Len(t, once.text(t, "submitOpinion", "secret"), 26)
	guessable := nobody.get(anonymousOpinion, map[string]any{"text": "Once", "id": "m-1"})
	require.Nil(t, guessable.at(t, "submitOpinion", "opinion"))
	require.Contains(t, guessable.text(t, "submitOpinion", "userErrors", 0, "message"), "random UUID")
}
