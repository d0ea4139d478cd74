// Renders a Helm chart with the engine that Helm uses (text/template with Sprig), where there is no Helm.
//
//	go run render.go CHART VALUES.json
//
// Debian's golang-github-masterminds-sprig-dev brings what it imports. VALUES replace those of the chart, deeply.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

func main() {
	chart, given := os.Args[1], os.Args[2]
	values := map[string]interface{}{}
	check(yaml.Unmarshal(read(filepath.Join(chart, "values.yaml")), &values))
	changes := map[string]interface{}{}
	check(json.Unmarshal([]byte(given), &changes))
	about := map[string]interface{}{}
	check(yaml.Unmarshal(read(filepath.Join(chart, "Chart.yaml")), &about))
	root := map[string]interface{}{
		"Values":  merged(values, changes),
		"Release": map[string]interface{}{"Name": "latchkey", "Namespace": "default", "Service": "Helm"},
		"Chart":   map[string]interface{}{"Name": about["name"], "Version": about["version"], "AppVersion": about["appVersion"]},
	}

	all := template.New("chart").Option("missingkey=zero")
	all.Funcs(sprig.TxtFuncMap()).Funcs(template.FuncMap{
		"include": func(name string, data interface{}) (string, error) {
			out := bytes.Buffer{}
			err := all.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"required": func(why string, value interface{}) (interface{}, error) {
			if value == nil || value == "" {
				return nil, fmt.Errorf("%s", why)
			}
			return value, nil
		},
		"toYaml": func(value interface{}) (string, error) {
			out, err := yaml.Marshal(value)
			return strings.TrimSuffix(string(out), "\n"), err
		},
	})
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	check(err)
	for _, file := range files {
		_, err := all.New(filepath.Base(file)).Parse(string(read(file)))
		check(err)
	}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "_") {
			continue
		}
		fmt.Println("---")
		check(all.ExecuteTemplate(os.Stdout, filepath.Base(file), root))
	}
}

func merged(values, changes map[string]interface{}) map[string]interface{} {
	for name, change := range changes {
		old, isOld := values[name].(map[string]interface{})
		if next, isMap := change.(map[string]interface{}); isOld && isMap {
			values[name] = merged(old, next)
		} else {
			values[name] = change
		}
	}
	return values
}

func read(file string) []byte {
	text, err := os.ReadFile(file)
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
