DROP INDEX refresh_tokens_used;
