# An image of one service, as small as it can be: docker build --build-arg SERVICE=shop --tag shop .
# A template for services of your own: in a repository without libs/ leave these out.

# A tag says which version; a digest (node:…@sha256:…) would say which bytes.
ARG NODE_IMAGE=node:22.21.1-alpine3.22

FROM ${NODE_IMAGE} AS build
ENV npm_config_cache=/npm-cache
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/npm-cache npm ci --ignore-scripts
RUN npm run build

# What the service needs at run time: its packages without those of development, and what was built, without sources.
FROM build AS service
ARG SERVICE
RUN --mount=type=cache,target=/npm-cache rm -rf node_modules && \
    npm ci --ignore-scripts --omit=dev --workspace "apps/${SERVICE}"
RUN mkdir -p /image/apps && cp -a package.json node_modules libs /image/ && cp -a "apps/${SERVICE}" apps/contracts /image/apps/ && \
    find /image/libs /image/apps -name src -type d -prune -exec rm -rf {} +

FROM ${NODE_IMAGE}
ARG SERVICE
ENV NODE_ENV=production
COPY --from=service /image /app
WORKDIR /app/apps/${SERVICE}
# The image's own user, who owns nothing in it.
USER 1000:1000
CMD ["node", "--enable-source-maps", "dist/main.js"]
