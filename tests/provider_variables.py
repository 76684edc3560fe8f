"""The variables that jobs of pipelines have: what is set for a repository, and what providers say of a run."""

PASSWORD = "planted-password"
# Who reads the registry before a release, where a provider does not do that itself.
READER = {"REGISTRY_READER": "reader", "REGISTRY_READER_PASSWORD": f"{PASSWORD}-REGISTRY_READER_PASSWORD"}
# Where the repository is, for all but Bitbucket.
ORIGIN = "https://github.com/acme/My-Service.git"
# The variables that say where to release: those that everybody may see, and the secrets.
ADDRESSES = {
    "COMPOSE_URL": "https://compose.example",
    "COMPOSE_HOST": "deploy@compose.example",
    "COMPOSE_KNOWN_HOSTS": "compose.example ssh-ed25519 AAAA",
    "STAGING_URL": "https://staging.example",
    "PRODUCTION_URL": "https://production.example",
}
ACCESS = {name: f"{PASSWORD}-{name}" for name in ("COMPOSE_SSH_KEY", "STAGING_KUBECONFIG", "PRODUCTION_KUBECONFIG")}
BOT = {"RENOVATE_TOKEN": f"{PASSWORD}-RENOVATE_TOKEN"}
# What CircleCI's contexts and Azure's groups of variables keep: a job has that of those which it names.
KEPT = {
    "updates": BOT,
    "compose": {"COMPOSE_SSH_KEY": ACCESS["COMPOSE_SSH_KEY"]},
    "staging": {"STAGING_KUBECONFIG": ACCESS["STAGING_KUBECONFIG"], **READER},
    "production": {"PRODUCTION_KUBECONFIG": ACCESS["PRODUCTION_KUBECONFIG"], **READER},
}

# What a provider says of a run, where the tests stand in for it.
AZURE = {
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECT": "shop",
    "BUILD_BUILDID": "1",
    "BUILD_REPOSITORY_URI": ORIGIN,
}
BITBUCKET = {"BITBUCKET_REPO_FULL_NAME": "acme/my-service"}
CIRCLECI = {
    "CIRCLE_BUILD_URL": "https://circleci.example/1",
    "CIRCLE_REPOSITORY_URL": ORIGIN,
    "CIRCLE_PROJECT_USERNAME": "acme",
    "CIRCLE_PROJECT_REPONAME": "my-service",
}
JENKINS = {
    "BUILD_URL": "https://jenkins.example/1/",
    "GIT_URL": ORIGIN,
    "JENKINS_URL": "https://jenkins.example/",
    "RENOVATE_REPOSITORY": "acme/my-service",
}
