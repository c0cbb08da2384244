package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// objects returns what a file declares, by kind and name. A member that Kubernetes does not know
// is an error.
func objects(t *testing.T, file string) map[string]any {
	t.Helper()
	list := map[string]any{}
	for doc := range strings.SplitSeq(read(t, file), "\n---\n") {
		var head struct {
			APIVersion, Kind string
			Metadata         struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var x any
		switch head.APIVersion + " " + head.Kind {
		case "v1 ServiceAccount":
			x = new(corev1.ServiceAccount)
		case "v1 Service":
			x = new(corev1.Service)
		case "v1 PersistentVolumeClaim":
			x = new(corev1.PersistentVolumeClaim)
		case "apps/v1 StatefulSet":
			x = new(appsv1.StatefulSet)
		case "apps/v1 Deployment":
			x = new(appsv1.Deployment)
		case "batch/v1 Job":
			x = new(batchv1.Job)
		case "policy/v1 PodDisruptionBudget":
			x = new(policyv1.PodDisruptionBudget)
		case "networking.k8s.io/v1 NetworkPolicy":
			x = new(networkingv1.NetworkPolicy)
		default:
			t.Fatalf("%s: %s %s is not known here", file, head.APIVersion, head.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(doc), x); err != nil {
			t.Fatalf("%s: %s %s: %v", file, head.Kind, head.Metadata.Name, err)
		}
		list[head.Kind+" "+head.Metadata.Name] = x
	}
	return list
}

// within reports whether a selector chooses pods with these labels.
func within(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

// pod checks what a template of pods says: it is confined, and all that its containers name is
// there.
func pod(t *testing.T, where string, p corev1.PodTemplateSpec, claims []string) {
	t.Helper()
	s := p.Spec
	if sc := s.SecurityContext; sc == nil || sc.RunAsNonRoot == nil || !*sc.RunAsNonRoot || *sc.RunAsUser != 65532 || *sc.FSGroup != 65532 ||
		sc.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: %+v", where, sc)
	}
	if s.AutomountServiceAccountToken == nil || *s.AutomountServiceAccountToken {
		t.Errorf("%s has a token that it does not need", where)
	}
	for _, v := range s.Volumes {
		claims = append(claims, v.Name)
	}
	for _, c := range s.Containers {
		where := where + " " + c.Name
		program, _, _ := strings.Cut(strings.TrimPrefix(c.Image, "trialproof/"), ":")
		commandLine(t, where, program, c.Args)
		if sc := c.SecurityContext; sc == nil || !*sc.ReadOnlyRootFilesystem || *sc.AllowPrivilegeEscalation ||
			!slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("%s: %+v", where, sc)
		}
		if c.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s may take all memory", where)
		}
		for _, m := range c.VolumeMounts {
			if !slices.Contains(claims, m.Name) {
				t.Errorf("%s: there is no volume %s", where, m.Name)
			}
		}
		for _, arg := range c.Args {
			for _, name := range variable.FindAllString(arg, -1) {
				if !slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return name == "$("+e.Name+")" }) {
					t.Errorf("%s: %s is not set", where, name)
				}
			}
		}
		for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if probe == nil {
				continue
			}
			if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == probe.HTTPGet.Port.StrVal }) {
				t.Errorf("%s: there is no port %v", where, probe.HTTPGet.Port)
			}
			if program == "triallog" && !slices.Contains([]string{"/healthz", "/readyz"}, probe.HTTPGet.Path) ||
				program == "trialwitness" && probe.HTTPGet.Path != "/healthz" {
				t.Errorf("%s is asked for %s", where, probe.HTTPGet.Path)
			}
		}
		if (c.Args[0] == "serve") != (c.LivenessProbe != nil && c.ReadinessProbe != nil) {
			t.Errorf("%s: %s with probes %v and %v", where, c.Args[0], c.LivenessProbe, c.ReadinessProbe)
		}
	}
}

// TestKubernetes: Kubernetes knows every member of the files, and what belongs together does.
func TestKubernetes(t *testing.T) {
	all := objects(t, "kubernetes/triallog.yaml")
	set := all["StatefulSet triallog"].(*appsv1.StatefulSet)
	labels := set.Spec.Template.Labels
	var claims []string
	for _, c := range set.Spec.VolumeClaimTemplates {
		claims = append(claims, c.Name)
	}
	pod(t, "triallog", set.Spec.Template, claims)
	if *set.Spec.Replicas < 2 || !within(set.Spec.Selector.MatchLabels, labels) {
		t.Errorf("%d servers, chosen by %v", *set.Spec.Replicas, set.Spec.Selector)
	}
	for _, name := range []string{"triallog", "triallog-pods"} {
		s := all["Service "+name].(*corev1.Service)
		if !within(s.Spec.Selector, labels) || s.Spec.Ports[0].TargetPort.StrVal != set.Spec.Template.Spec.Containers[0].Ports[0].Name {
			t.Errorf("the service %s reaches no server: %+v", name, s.Spec)
		}
		if headless := name == set.Spec.ServiceName; headless != (s.Spec.ClusterIP == "None") || headless != s.Spec.PublishNotReadyAddresses {
			t.Errorf("the service %s: %+v", name, s.Spec)
		}
	}
	budget := all["PodDisruptionBudget triallog"].(*policyv1.PodDisruptionBudget)
	if !within(budget.Spec.Selector.MatchLabels, labels) || budget.Spec.MaxUnavailable.IntValue() != 1 {
		t.Errorf("the budget is of no server: %+v", budget.Spec)
	}
	if n := all["NetworkPolicy triallog"].(*networkingv1.NetworkPolicy); !within(n.Spec.PodSelector.MatchLabels, labels) {
		t.Errorf("the network's policy is of no server: %+v", n.Spec)
	}
	if set.Spec.Template.Spec.ServiceAccountName != all["ServiceAccount triallog"].(*corev1.ServiceAccount).Name {
		t.Error("the servers have no account")
	}
	mounts := func(container int) (list []string) {
		for _, m := range set.Spec.Template.Spec.Containers[container].VolumeMounts {
			list = append(list, m.Name)
		}
		return list
	}
	if s := set.Spec.Template.Spec.Containers[0]; !slices.Contains(s.Args, "-replica") ||
		!slices.Contains(s.Args, fmt.Sprintf("-advertise=http://$(POD_NAME).%s:8080", set.Spec.ServiceName)) {
		t.Errorf("a server does not say where it is: %v", s.Args)
	}
	if !slices.Contains(mounts(0), "key") || slices.Contains(mounts(1), "key") || slices.Contains(mounts(1), "mysql") ||
		!slices.Contains(mounts(1), "data") {
		t.Errorf("the server mounts %v, the backup %v", mounts(0), mounts(1))
	}
	if pods := set.Spec.Template.Annotations["prometheus.io/port"]; pods != "8080" {
		t.Errorf("the metrics are read at port %s", pods)
	}

	all = objects(t, "kubernetes/trialwitness.yaml")
	w := all["Deployment trialwitness"].(*appsv1.Deployment)
	pod(t, "trialwitness", w.Spec.Template, nil)
	if *w.Spec.Replicas != 1 || w.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		t.Errorf("a witness may run twice: %+v", w.Spec)
	}
	if s := all["Service trialwitness"].(*corev1.Service); !within(s.Spec.Selector, w.Spec.Template.Labels) ||
		!within(w.Spec.Selector.MatchLabels, w.Spec.Template.Labels) {
		t.Errorf("the service reaches no witness: %+v", s.Spec)
	}
	job := all["Job trialwitness-keygen"].(*batchv1.Job)
	pod(t, "keygen", job.Spec.Template, nil)
	if within(w.Spec.Selector.MatchLabels, job.Spec.Template.Labels) {
		t.Error("the service sends requests to the job")
	}
	for _, volumes := range [][]corev1.Volume{w.Spec.Template.Spec.Volumes, job.Spec.Template.Spec.Volumes} {
		if all["PersistentVolumeClaim "+volumes[0].PersistentVolumeClaim.ClaimName] == nil {
			t.Errorf("there is no claim %s", volumes[0].PersistentVolumeClaim.ClaimName)
		}
	}
}

// TestStrict: a member that is misspelt is noticed.
func TestStrict(t *testing.T) {
	text := strings.Replace(read(t, "kubernetes/triallog.yaml"), "maxUnavailable", "maxUnavailabel", 1)
	for doc := range strings.SplitSeq(text, "\n---\n") {
		if strings.Contains(doc, "maxUnavailabel") {
			if err := yaml.UnmarshalStrict([]byte(doc), new(policyv1.PodDisruptionBudget)); err == nil {
				t.Error("maxUnavailabel is taken")
			}
			return
		}
	}
	t.Error("nothing was misspelt")
}
