package engine

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"groundwork/internal/engine/chdb"

	"golang.org/x/sys/unix"
)

// engineFiles are the paths below the data directory.
type engineFiles struct{ data, config, users, log, spool, lock string }

func filesIn(dir string) engineFiles {
	at := func(name string) string { return filepath.Join(dir, name) }
	return engineFiles{data: at("data"), config: at("config.xml"), users: at("users.xml"), log: at("engine.log"), spool: at("spool"), lock: at("lock")}
}

// lockDir makes the data directory and takes it for this process. The lock goes with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	files := filesIn(dir)
	err := os.MkdirAll(files.spool, 0o700)
	if err == nil {
		err = os.MkdirAll(files.data, 0o700)
	}
	var lock *os.File
	if err == nil {
		lock, err = os.OpenFile(files.lock, os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %s cannot be written (%w): give another one by --data-dir or GROUNDWORK_DATA, or make this one writable for the user that runs groundwork", dir, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("data directory %s is in use by another engine process (Code: 76): stop that one, or give another directory by --data-dir or GROUNDWORK_DATA", dir)
	}
	return lock, nil
}

// startEngine loads the library and opens the first connection, which starts the engine on the data directory.
func startEngine(c Config) (*chdb.Library, *chdb.Conn, error) {
	if _, err := os.Stat(c.Library); err != nil {
		return nil, nil, fmt.Errorf("the ClickHouse engine library is missing (%w): `make engines` installs it", err)
	}
	files := filesIn(c.DataDir)
	if err := writeEngineConfig(c, files); err != nil {
		return nil, nil, err
	}
	// The engine's time zone is that of the process; the warehouse speaks UTC wherever it runs.
	if err := os.Setenv("TZ", "UTC"); err != nil {
		return nil, nil, err
	}
	lib, err := chdb.Open(c.Library)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: `make engines` installs a fresh copy", err)
	}
	conn, err := lib.Connect("--path="+files.data, "--config-file="+files.config, "--logger.log="+files.log, "--log-level=warning")
	if err != nil {
		return nil, nil, fmt.Errorf("start the ClickHouse engine on %s: %w (its reason stands on standard error and in %s)", files.data, err, files.log)
	}
	return lib, conn, nil
}

// engineConfig writes the server configuration. The engine knows one user, `default`: who may do what is the gateway's
// business. The grants close what no user of the gateway may do: reach out to files, addresses and other databases, or
// end the process.
const engineConfig = `<clickhouse>
  <users_config>%s</users_config>
  <max_server_memory_usage>%d</max_server_memory_usage>
  <background_schedule_pool_max_parallel_tasks_per_type_ratio>1</background_schedule_pool_max_parallel_tasks_per_type_ratio>
  <mark_cache_size>%d</mark_cache_size>
  <logger>
    <size>10M</size>
    <count>2</count>
    <!-- Errors of statements go to the client that sent them. Here they would put statements, and so people's data, into a log. -->
    <levels>
      <executeQuery>none</executeQuery>
      <!-- It warns whenever two tables want the one thread for work in the background: thousands of lines a minute. -->
      <logger><name>BackgroundSchedulePool/BgSchPool</name><level>error</level></logger>
    </levels>
  </logger>
  <merge_tree>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
  </merge_tree>
</clickhouse>
`

const engineUsers = `<clickhouse>
  <profiles><default>
    <async_insert>0</async_insert>
    <implicit_select>0</implicit_select>
    <allow_introspection_functions>0</allow_introspection_functions>
  </default></profiles>
  <quotas><default/></quotas>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants>%s</grants>
  </default></users>
</clickhouse>
`

// outsideEngines are the table engines that read or write outside of the data directory.
var outsideEngines = []string{
	"File", "URL", "S3", "HDFS", "PostgreSQL", "MySQL", "MongoDB", "Redis", "SQLite", "ODBC", "JDBC", "Kafka", "NATS", "RabbitMQ",
	"Executable", "ExecutablePool", "Distributed",
}

func writeEngineConfig(c Config, files engineFiles) error {
	grants := []string{"GRANT ALL ON *.*", "REVOKE SOURCES ON *.*", "REVOKE SYSTEM SHUTDOWN ON *.*"}
	for _, name := range outsideEngines {
		grants = append(grants, "REVOKE TABLE ENGINE ON "+name)
	}
	var list strings.Builder
	for _, grant := range grants {
		list.WriteString("<query>" + grant + "</query>")
	}
	const markCache = 512 << 20
	config := fmt.Sprintf(engineConfig, escapeXML(files.users), c.MaxMemory, min(markCache, c.MaxMemory/8))
	for path, text := range map[string]string{files.config: config, files.users: fmt.Sprintf(engineUsers, list.String())} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the engine's configuration: %w", err)
		}
	}
	return nil
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}
