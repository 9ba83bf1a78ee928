package embedded

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// leaderlessVariable makes the test binary play a process whose first thread has ended while another still runs, as the ClickHouse engine is
// for as long as it takes to give back its memory after a kill.
const leaderlessVariable = "GROUNDWORK_TEST_LEADERLESS"

func init() { runtime.LockOSThread() } // TestMain runs on the first thread of the process

// endFirstThread ends the calling thread alone; the threads of the runtime stay.
func endFirstThread() {
	_, _, _ = syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
}

func TestProcessLivesAsLongAsItsLastThread(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), leaderlessVariable+"=yes")
	require.NoError(t, cmd.Start())
	pid := cmd.Process.Pid
	state := func() byte {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(t, err)
		return stat[bytes.LastIndexByte(stat, ')')+2]
	}
	eventually(t, func() bool { return state() == 'Z' }, "the first thread ends")
	running := findProcess(pid)
	require.NotNil(t, running)
	require.NoError(t, running.end(stopStep{syscall.SIGKILL, time.Minute}))
	require.Equal(t, byte('Z'), state(), "nobody has waited for it")
	require.Nil(t, findProcess(pid))
	require.Error(t, cmd.Wait())
}
