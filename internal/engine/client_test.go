package engine

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJavaScriptClient(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, "node", "testdata/client.mjs", f.URL, f.database).CombinedOutput()
	require.NoError(t, err, "%s", output)
	require.Equal(t, "ok\n", string(output))
}
