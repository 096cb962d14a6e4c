#!/usr/bin/python3
"""Are these files what ECS and Kubernetes take? By the model that botocore has of ECS, and by that which the Kubernetes client has of
its API. Usage: layouts.py [--spoilt] FILE…; --spoilt wants every key of theirs refused when it is misspelt, and every value when it is
of another type."""
import copy
import functools
import json
import sys

import botocore.session
import botocore.validate
import kubernetes.client
import yaml


class Strict(botocore.validate.ParamValidator):
    """Botocore leaves it to the service to know the words of an enumeration, and takes a truth for a number."""

    def _validate_string(self, param, shape, errors, name):
        super()._validate_string(param, shape, errors, name)
        if isinstance(param, str) and shape.enum and param not in shape.enum:
            errors.report(name, "invalid type", param=param, valid_types=shape.enum)

    def _validate_integer(self, param, shape, errors, name):
        super()._validate_integer(None if isinstance(param, bool) else param, shape, errors, name)


@functools.cache
def task_model():
    return botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape


def task_faults(task):
    return Strict().validate(task, task_model()).generate_report().splitlines()


SCALARS = {"str": str, "int": int, "bool": bool}


def kubernetes_faults(value, kind, at):
    """KIND is written as the client's models write it: list[X], dict(str, X), a scalar, or the name of another model."""
    if kind.startswith("list["):
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no list"]
        return [fault for i, item in enumerate(value) for fault in kubernetes_faults(item, kind[5:-1], f"{at}[{i}]")]
    if kind in SCALARS:
        return [] if type(value) is SCALARS[kind] else [f"{at}: {value!r} is no {kind}"]
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no mapping"]
    if kind.startswith("dict("):
        return [fault for key in value for fault in kubernetes_faults(value[key], kind[len("dict(str, "):-1], f"{at}.{key}")]
    model = getattr(kubernetes.client, kind)
    names = {key: name for name, key in model.attribute_map.items()}
    faults = [f"{at}: {key} is no field of {kind}" for key in value if key not in names]
    known = {names[key]: item for key, item in value.items() if key in names}
    for name, item in known.items():
        faults += kubernetes_faults(item, model.openapi_types[name], f"{at}.{model.attribute_map[name]}")
    try:
        model(**known)
    except ValueError as required:
        faults.append(f"{at}: {required}")
    return faults


def manifest_faults(manifest):
    if (manifest.get("apiVersion"), manifest.get("kind")) != ("v1", "Pod"):
        return ["it is no Pod of v1"]
    return kubernetes_faults(manifest, "V1Pod", "pod")


def task_contradictions(task):
    """What no model says, but the service's documentation does."""
    fargate = task["requiresCompatibilities"] == ["FARGATE"]
    if fargate != (task["networkMode"] == "awsvpc") or fargate != ("cpu" in task and "memory" in task):
        yield "Fargate knows awsvpc alone, and wants sizes of the whole task"
    containers = {c.get("name"): c for c in task["containerDefinitions"]}
    for name, container in containers.items():
        if not name or "image" not in container or not fargate and "memory" not in container:
            yield f"{name} has no name, no image or no memory"
        if "trace" in container.get("entryPoint", []) and "SYS_PTRACE" not in container["linuxParameters"]["capabilities"]["add"]:
            yield f"{name} may not trace"
        for wait in container.get("dependsOn", []):
            on = containers.get(wait["containerName"], {})
            possible = {"SUCCESS": not on.get("essential", True), "HEALTHY": "healthCheck" in on}
            if not possible.get(wait["condition"], bool(on)):
                yield f"{name} can't wait for {wait}"
        for link in container.get("links", []):
            if link not in containers:
                yield f"{name} is linked to {link}, which is no container"
        for mount in container.get("mountPoints", []):
            if {"name": mount["sourceVolume"]} not in task["volumes"]:
                yield f"{name} mounts {mount}, which is no volume"


def manifest_contradictions(manifest):
    spec = manifest["spec"]
    for container in spec["initContainers"] + spec["containers"]:
        if "image" not in container:
            yield f"{container['name']} has no image"
        if "trace" in container.get("command", []) and "SYS_PTRACE" not in container["securityContext"]["capabilities"]["add"]:
            yield f"{container['name']} may not trace"
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in [volume["name"] for volume in spec["volumes"]] or not mount["mountPath"].startswith("/"):
                yield f"{container['name']} mounts {mount}"


def spoilt(whole, part=None):
    """Copies of WHOLE with one mistake each, and what it is. A label may have any name."""
    part = whole if part is None else part
    for key in list(part) if isinstance(part, dict) else range(len(part)):
        value = part[key]
        part[key] = [True] if not isinstance(value, list) else {"a": "b"}
        yield f"{key}: {value!r} of another type", copy.deepcopy(whole)
        part[key] = value
        if isinstance(part, dict) and part is not whole.get("metadata", {}).get("labels"):
            part[key + "s"] = part.pop(key)
            yield f"{key} misspelt", copy.deepcopy(whole)
            part[key] = part.pop(key + "s")
        if isinstance(value, (dict, list)):
            yield from spoilt(whole, value)


def main(arguments):
    failed = False
    for name in arguments[1:] if arguments[:1] == ["--spoilt"] else arguments:
        with open(name, encoding="utf-8") as file:
            tasks = name.endswith(".json")
            document = json.load(file) if tasks else yaml.safe_load(file)
        faults = task_faults if tasks else manifest_faults
        if arguments[0] == "--spoilt":
            mistakes = list(spoilt(document))
            said = [f"{what} is taken" for what, bad in mistakes if not faults(bad)]
            print(f"{name}: {len(mistakes)} mistakes tried")
        else:
            said = faults(document) or list((task_contradictions if tasks else manifest_contradictions)(document))
        for fault in said:
            print(f"{name}: {fault}")
        failed = failed or bool(said)
    return failed


sys.exit(main(sys.argv[1:]))
