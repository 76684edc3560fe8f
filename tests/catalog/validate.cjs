// Validate entities as Backstage's catalog does: a list of them as JSON on standard input. Fails with what is wrong.
const {
  DefaultNamespaceEntityPolicy,
  FieldFormatEntityPolicy,
  NoForeignRootFieldsEntityPolicy,
  SchemaValidEntityPolicy,
  apiEntityV1alpha1Validator,
  componentEntityV1alpha1Validator,
} = require("@backstage/catalog-model");

const kinds = { API: apiEntityV1alpha1Validator, Component: componentEntityV1alpha1Validator };
const policies = [
  new SchemaValidEntityPolicy(),
  new DefaultNamespaceEntityPolicy(),
  new NoForeignRootFieldsEntityPolicy(),
  new FieldFormatEntityPolicy(),
];

async function main() {
  const entities = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
  for (const entity of entities) {
    let checked = entity;
    for (const policy of policies) checked = await policy.enforce(checked);
    if (!(await kinds[entity.kind].check(checked))) throw new Error(`no such version: ${entity.apiVersion}`);
  }
}

main();
