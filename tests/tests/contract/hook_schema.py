"""Says of each instance on stdin whether the schema takes it: {"schema": ..., "instances": [...], "yaml": [...]}."""
import json
import sys

import jsonschema
import yaml

asked = json.load(sys.stdin)
validator_class = jsonschema.Draft202012Validator
validator_class.check_schema(asked["schema"])
validator = validator_class(asked["schema"])


def verdict(instance):
    error = jsonschema.exceptions.best_match(validator.iter_errors(instance))
    return None if error is None else f"{error.json_path}: {error.message}"


answers = {
    "instances": [verdict(instance) for instance in asked["instances"]],
    "yaml": [verdict(yaml.safe_load(text)) for text in asked["yaml"]],
}
json.dump(answers, sys.stdout)
