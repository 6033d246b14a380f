module synfire

go 1.26
