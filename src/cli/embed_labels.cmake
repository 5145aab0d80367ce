# cmake -DTEXT=names.txt -DSOURCE=out.cpp -P embed_labels.cmake: a text file as a C++ constant.
file(READ "${TEXT}" text)
file(WRITE "${SOURCE}" "#include \"imagenet_labels.h\"\n\nnamespace kdequant {\nextern const std::string_view kImageNetLabels = R\"names(${text})names\";\n}\n")
