DROP INDEX users_staff;
DROP INDEX refresh_tokens_used;
