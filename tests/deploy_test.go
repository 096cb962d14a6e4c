package tests

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// What the files in packaging/docker use of the layouts of ECS (RegisterTaskDefinition, API version 2014-11-13) and
// Kubernetes (v1 Pod). A key that stands in neither is a mistake.
type (
	task struct {
		Family, NetworkMode, PidMode, CPU, Memory string
		RequiresCompatibilities                   []string
		Volumes                                   []struct{ Name string }
		ContainerDefinitions                      []taskContainer
	}
	taskContainer struct {
		Name, Image, User   string
		Essential           bool
		Memory              int
		EntryPoint, Command []string
		Links               []string
		Environment         []struct{ Name, Value string }
		HealthCheck         *struct {
			Command                                 []string
			Interval, Timeout, Retries, StartPeriod int
		}
		LinuxParameters struct{ Capabilities struct{ Add []string } }
		MountPoints     []struct {
			SourceVolume, ContainerPath string
			ReadOnly                    bool
		}
		DependsOn []struct{ ContainerName, Condition string }
	}
	pod struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name   string
			Labels map[string]string
		}
		Spec struct {
			ShareProcessNamespace bool           `yaml:"shareProcessNamespace"`
			InitContainers        []podContainer `yaml:"initContainers"`
			Containers            []podContainer
			Volumes               []struct {
				Name     string
				EmptyDir struct{} `yaml:"emptyDir"`
			}
		}
	}
	podContainer struct {
		Name, Image   string
		Command, Args []string
		Env           []struct{ Name, Value string }
		LivenessProbe *struct {
			Exec           struct{ Command []string }
			PeriodSeconds  int `yaml:"periodSeconds"`
			TimeoutSeconds int `yaml:"timeoutSeconds"`
		} `yaml:"livenessProbe"`
		SecurityContext struct{ Capabilities struct{ Add []string } } `yaml:"securityContext"`
		VolumeMounts    []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
)

func deployFile(t *testing.T, name string) []byte {
	text, err := os.ReadFile(filepath.Join("..", "packaging", "docker", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTaskDefinitions(t *testing.T) {
	for name, mode := range map[string]string{"ecs-task.json": "bridge", "fargate-task.json": "awsvpc"} {
		var got task
		decoder := json.NewDecoder(bytes.NewReader(deployFile(t, name)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fargate := slices.Contains(got.RequiresCompatibilities, "FARGATE")
		// Fargate knows awsvpc alone, and sizes of the whole task; elsewhere each container must have one.
		if got.NetworkMode != mode || fargate != (mode == "awsvpc") || fargate != (got.CPU != "" && got.Memory != "") {
			t.Errorf("%s: network %s, cpu %q, memory %q", name, got.NetworkMode, got.CPU, got.Memory)
		}
		names := map[string]taskContainer{}
		for _, c := range got.ContainerDefinitions {
			names[c.Name] = c
			if c.Image == "" || !fargate && c.Memory == 0 {
				t.Errorf("%s: %s has no image or no memory", name, c.Name)
			}
		}
		for _, c := range got.ContainerDefinitions {
			for _, d := range c.DependsOn {
				on, known := names[d.ContainerName]
				// A container that others wait for to succeed must not be essential, one to be healthy needs a check.
				if !known || d.Condition == "SUCCESS" && on.Essential || d.Condition == "HEALTHY" && on.HealthCheck == nil {
					t.Errorf("%s: %s can't wait for %s to be %s", name, c.Name, d.ContainerName, d.Condition)
				}
			}
			for _, m := range c.MountPoints {
				if len(got.Volumes) != 1 || m.SourceVolume != got.Volumes[0].Name {
					t.Errorf("%s: %s mounts %q, which is no volume", name, c.Name, m.SourceVolume)
				}
			}
		}
		if app := names["myapp"]; !slices.Equal(app.LinuxParameters.Capabilities.Add, []string{"SYS_PTRACE"}) || len(app.DependsOn) != 2 {
			t.Errorf("%s: the application has %+v", name, app)
		}
	}
}

func TestKubernetesManifest(t *testing.T) {
	var got pod
	decoder := yaml.NewDecoder(bytes.NewReader(deployFile(t, "kubernetes.yaml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.APIVersion != "v1" || got.Kind != "Pod" || !got.Spec.ShareProcessNamespace || len(got.Spec.InitContainers) != 1 {
		t.Errorf("got %+v", got)
	}
	for _, c := range slices.Concat(got.Spec.InitContainers, got.Spec.Containers) {
		if c.Image == "" {
			t.Errorf("%s has no image", c.Name)
		}
		for _, m := range c.VolumeMounts {
			if len(got.Spec.Volumes) != 1 || m.Name != got.Spec.Volumes[0].Name || !strings.HasPrefix(m.MountPath, "/") {
				t.Errorf("%s mounts %q at %q", c.Name, m.Name, m.MountPath)
			}
		}
	}
}
