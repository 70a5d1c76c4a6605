"""The Power Platform connector, the OpenAPI description of the API and the sample flows."""
